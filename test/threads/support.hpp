#pragma once

#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>
#include <future>
#include <map>
#include <minibatch.hpp>
#include <set>
#include <string>
#include <vector>

#include "support/callers.hpp"
#include "support/chosen_stores.hpp"
#include "support/soak.hpp"
#include "support/temporary_directory.hpp"

namespace minibatch::test {

/// How many tests share the time of a long run.
constexpr int thread_tests = 10;

/// Runs an operation on the pool and returns its result.
template <class T>
T wait_for(callers& from, asio::awaitable<T> operation) {
    return asio::co_spawn(from.pool, std::move(operation), asio::use_future).get();
}

/// Calls `once(url, callers, choice)` for every store and every choice.
template <class Choices, class Once>
void for_every_store(Choices const& choices, Once once) {
    auto const round = [&](std::uint64_t seed) {
        for (auto const& store : chosen_stores()) {
            temporary_directory const directory;
            auto const url = empty_database(store, directory.path());
            for (auto const choice : choices) {
                BOOST_TEST_CONTEXT(store << ", " << choice) {
                    callers from(seed);
                    once(url, from, choice);
                }
            }
        }
    };
    repeat_with_seeds(round, thread_tests);
}
/// The same for every way of calling.
template <class Once>
void for_every_calling(Once once) {
    for_every_store(every_calling, once);
}

/// All messages of a stream.
inline std::vector<message> all_of(callers& from, stream& of) {
    std::vector<message> found;
    for (int partition = 0; partition < of.partitions(); ++partition) {
        for (std::int64_t next = 0;;) {
            auto const some = wait_for(from, of.peek(partition, next, 1'000));
            if (some.empty()) break;
            found.insert(found.end(), some.begin(), some.end());
            next = some.back().offset() + 1;
        }
    }
    return found;
}

inline boost::json::object reading(std::int64_t value) { return {{"value", value}}; }
inline std::int64_t value_of(message const& of) { return of.data().at("value").to_number<std::int64_t>(); }

/// Whether an operation that was cancelled may have ended so.
inline bool by_cancellation(error_code code, calling how) {
    return how == calling::cancelled && (code == asio::error::operation_aborted || code == errc::outcome_unknown);
}

}  // namespace minibatch::test
