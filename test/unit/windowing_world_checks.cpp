// What must hold in every history: each message is committed once, windows come back unchanged until they are committed
// and never afterwards, and an empty time window is the truth.

#include <boost/test/unit_test.hpp>

#include "windowing_world.hpp"

namespace windowing_test {

void world::check_not_committed(cut const& window) const {
    auto const id = window_id("g", 0, window);
    BOOST_REQUIRE_MESSAGE(!committed_ids.contains(id), id << " was committed before");
    for (auto const& each : messages_of(window, 0)) {
        BOOST_REQUIRE_EQUAL(commits[static_cast<std::size_t>(each.offset())], 0);
    }
}

void world::check_content(cut const& window) const {
    auto const& parts = how.parts();
    auto const count = window.count();
    if (window.reason == window_reason::count) BOOST_REQUIRE_EQUAL(count, parts.count.value());
    if (parts.count) BOOST_REQUIRE(count <= *parts.count);
    if (parts.max_bytes) BOOST_REQUIRE((count == 1 || window.bytes() <= *parts.max_bytes));
    if (parts.fixed) check_time_window(window);
}

void world::check_time_window(cut const& window) const {
    auto const interval = how.parts().fixed->interval.count();
    std::int64_t uncommitted = 0;
    std::int64_t all = 0;
    for (std::size_t i = 0; i < created.size(); ++i) {
        if (created[i] < window.start || created[i] >= window.end) continue;
        ++all;
        if (commits[i] == 0) ++uncommitted;
    }
    BOOST_REQUIRE_EQUAL(window.end - window.start, interval);
    BOOST_REQUIRE_EQUAL(window.start % interval, 0);
    // Whatever became of the messages: committed before, or removed by retention.
    if (window.count() == 0) BOOST_REQUIRE_EQUAL(all, 0);
    if (window.reason == window_reason::time) BOOST_REQUIRE_EQUAL(window.count(), uncommitted);
}

void world::check_forward(store::progress const& next) const {
    BOOST_REQUIRE(next.low >= saved.low);
    BOOST_REQUIRE(next.low_number >= saved.low_number);
    if (saved.windows_end) BOOST_REQUIRE((next.windows_end && *next.windows_end >= *saved.windows_end));
    range_set done;
    done.add({-1, next.low});
    for (auto const& each : next.committed) {
        BOOST_REQUIRE(!done.contains(each.begin - 1));
        done.add(each);
    }
    for (auto const& each : saved.committed) BOOST_REQUIRE_EQUAL(done.count(each), each.end - each.begin);
    range_set times;
    for (auto const& each : next.windows_done) {
        BOOST_REQUIRE((!next.windows_end || each.begin >= *next.windows_end));
        times.add({each.begin, each.end});
    }
    if (next.windows_end) times.add({INT64_MIN / 2, *next.windows_end});
    for (auto const& each : saved.windows_done) {
        BOOST_REQUIRE_EQUAL(times.count({each.begin, each.end}), each.end - each.begin);
    }
    // At most one between two open windows.
    if (!may.retention) BOOST_REQUIRE(next.windows_done.size() <= 2 * in_flight_limit);
    // The record that holds low, or one behind it that has nothing below.
    if (next.low_number < std::ssize(records)) {
        auto const& record = records[static_cast<std::size_t>(next.low_number)];
        BOOST_REQUIRE(record->first() <= next.low);
    } else {
        BOOST_REQUIRE_EQUAL(next.low, end);
    }
}

}  // namespace windowing_test
