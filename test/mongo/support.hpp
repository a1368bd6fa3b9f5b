#pragma once

#include <boost/test/unit_test.hpp>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "store/open.hpp"
#include "support/background_closer.hpp"
#include "support/mongo_database.hpp"
#include "support/mongo_server.hpp"

namespace minibatch::test {

using namespace store;
using store_ptr = std::shared_ptr<minibatch::store::store>;

/// A handle without callbacks, which is closed in the background.
inline store_ptr opened(std::string const& url, milliseconds timeout = milliseconds(5'000)) {
    open_options options;
    options.timeout = timeout;
    return background_closer::shared().wrap(open_store(url, options));
}

inline steady_time within(milliseconds time) { return std::chrono::steady_clock::now() + time; }

inline bool holds(std::string const& text, std::string const& part) { return text.find(part) != std::string::npos; }

/// What a store has logged.
class log_lines {
  public:
    log_callback callback() {
        return [this](log_level, std::string_view text) {
            std::lock_guard const lock(mutex_);
            lines_.emplace_back(text);
        };
    }
    int with(std::string const& part) const {
        std::lock_guard const lock(mutex_);
        int count = 0;
        for (auto const& line : lines_) count += holds(line, part) ? 1 : 0;
        return count;
    }
    std::string all() const {
        std::lock_guard const lock(mutex_);
        std::string out;
        for (auto const& line : lines_) out += line + '\n';
        return out;
    }

  private:
    mutable std::mutex mutex_;
    std::vector<std::string> lines_;
};

/// What an operation ended with.
struct outcome {
    error_code code;
    std::string text;
};

template <class Action>
outcome outcome_of(Action const& action) {
    try {
        action();
    } catch (error const& problem) {
        return {problem.code(), problem.diagnostics()};
    }
    return {};
}

inline append_request one_message(log_id log, std::string const& document, std::string batch = {}) {
    log::segment_text text;
    text.add(document);
    return {log, std::move(batch), 1, std::make_shared<std::string const>(text.finish())};
}

/// Throws what the store answers with.
template <class Result, class Request>
Result write(minibatch::store::store& to, Request request, steady_time deadline) {
    write_job job{std::move(request), {}};
    to.write({&job, 1}, deadline);
    if (auto const* failure = std::get_if<error>(&job.result)) throw *failure;
    return std::get<Result>(job.result);
}

inline append_result append(minibatch::store::store& to, log_id log, std::string const& document, milliseconds time,
                            std::string batch = {}) {
    return write<append_result>(to, one_message(log, document, std::move(batch)), within(time));
}

/// All documents of a log, in order. Fails the test when its offsets have gaps.
inline std::vector<std::string> documents_of(minibatch::store::store& of, log_id log) {
    std::vector<std::string> out;
    std::int64_t number = 0;
    for (;;) {
        auto const got = of.read(log, number, {}, within(milliseconds(10'000)));
        if (got.records.empty()) return out;
        for (auto const& record : got.records) {
            BOOST_REQUIRE(record->first() == static_cast<std::int64_t>(out.size()));
            for (std::int64_t i = 0; i < record->count(); ++i) out.emplace_back(record->document(i));
        }
        number = got.records.back()->number() + 1;
    }
}

}  // namespace minibatch::test
