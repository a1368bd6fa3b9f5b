#pragma once

#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <minibatch.hpp>
#include <random>
#include <string>
#include <vector>

#include "reliability/history.hpp"

/// What the tests that kill processes have in common.
namespace minibatch::test {

/// A new one, or the one that is to be repeated.
inline std::uint64_t seed_of_run() {
    if (auto const* given = std::getenv("MINIBATCH_RELIABILITY_SEED")) return std::stoull(given);
    return std::random_device()();
}

inline void none(std::vector<std::string> const& problems) {
    BOOST_TEST(problems.empty(), problems.size() << " problems");
    for (std::size_t i = 0; i < std::min<std::size_t>(problems.size(), 20); ++i) BOOST_TEST_MESSAGE(problems[i]);
}

/// The messages that are in the stream of numbers; its only group must have committed all, and lost none.
inline boost::asio::awaitable<void> read_log(std::string url, int partitions, std::vector<numbered>& into) {
    auto const db = co_await connect(url);
    std::string const stream_name = "numbers";
    auto numbers = co_await db.find_stream(stream_name);
    auto const info = co_await numbers.info();
    BOOST_TEST(info.groups.at(0).lag == 0);
    BOOST_TEST(info.groups.at(0).lost == 0);
    for (int partition = 0; partition < partitions; ++partition) {
        for (std::int64_t from = 0; true;) {
            auto const some = co_await numbers.peek(partition, from, 5'000);
            if (some.empty()) break;
            for (auto const& each : some) into.push_back(from_message(each));
            from = some.back().offset() + 1;
        }
    }
}

}  // namespace minibatch::test
