#pragma once

#include <iosfwd>
#include <minibatch/error.hpp>
#include <minibatch/strategy.hpp>
#include <sstream>
#include <string>
#include <variant>
#include <vector>

#include "windowing/planner.hpp"

namespace windowing_test {

using namespace minibatch;             // NOLINT(google-build-using-namespace): short tables
using namespace minibatch::windowing;  // NOLINT(google-build-using-namespace)
using std::chrono::milliseconds;
using ranges = std::vector<store::offset_range>;

/// A segment of documents of `size` bytes each (at least 2).
inline log::segment_ptr make_segment(std::int64_t number, std::int64_t first, std::int64_t count, time_ms created,
                                     std::size_t size = 10) {
    log::segment_text text;
    std::string document = "{}";
    if (size > 2) document.insert(1, size - 2, ' ');
    for (std::int64_t i = 0; i < count; ++i) text.add(document);
    auto finished = count == 0 ? nullptr : std::make_shared<std::string const>(text.finish());
    return std::make_shared<log::segment const>(number, first, count, created, finished);
}

/// Clocks that are right.
inline moment at(time_ms now) { return {now, now, now}; }

/// A log and what cuts it; `show` tells a step in one line, so that tests read as tables.
struct bench {
    explicit bench(strategy const& how, store::progress const& from = {})
        : pending(from), plan(how, from, 0), number(from.low_number), offset(from.low) {
        pending.set_caught_up(true);
    }

    void add(std::int64_t count, time_ms created, std::size_t size = 10) { add(count, created, created, size); }
    /// Messages whose stamp is not when they arrived by the steady clock.
    void add(std::int64_t count, time_ms created, time_ms arrived, std::size_t size) {
        pending.feed(make_segment(number++, offset, count, created, size), arrived);
        offset += count;
    }
    void seal(time_ms until) { add(0, until); }

    std::string next(time_ms now) { return show(plan.next(pending, at(now))); }
    std::string flush(time_ms now) {
        auto const made = plan.flush(pending, at(now));
        return std::holds_alternative<wait_until>(made) ? "nothing" : show(made);
    }

    static std::string show(step const& answer) {
        std::ostringstream out;
        if (auto const* made = std::get_if<cut>(&answer)) {
            out << to_string(made->reason);
            for (auto const& each : made->offsets) out << " [" << each.begin << "," << each.end << ")";
            out << " " << made->start << ".." << made->end;
            if (!made->rebuildable) out << " recorded";
        } else if (std::holds_alternative<read_on>(answer)) {
            out << "read on";
        } else if (auto const* wait = std::get_if<wait_until>(&answer)) {
            out << "wait";
            if (wait->when) out << " " << *wait->when;
        } else if (auto const* seal = std::get_if<seal_until>(&answer)) {
            out << "seal " << seal->time;
        } else {
            out << "discard";
            for (auto const& each : std::get<discard_only>(answer).discarded) {
                out << " [" << each.begin << "," << each.end << ")";
            }
        }
        return out.str();
    }

    pending_log pending;
    planner plan;
    std::int64_t number;
    std::int64_t offset;
};

inline auto fails_with(errc expected) {
    return [expected](error const& failure) { return failure.code() == expected; };
}

}  // namespace windowing_test

namespace minibatch::store {
inline std::ostream& operator<<(std::ostream& out, offset_range const& range) {
    return out << "[" << range.begin << "," << range.end << ")";
}
}  // namespace minibatch::store
