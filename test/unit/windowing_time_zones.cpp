// Fixed windows of local days.

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstdlib>
#include <type_traits>

#include "windowing/time_grid.hpp"
#include "windowing_support.hpp"

using namespace windowing_test;  // NOLINT(google-build-using-namespace)

BOOST_AUTO_TEST_SUITE(windowing_time_zones)

namespace {

using namespace std::chrono_literals;

constexpr time_ms hour = 3'600'000;
constexpr milliseconds day = 24h;

/// In UTC.
time_ms at(int year, int month, int of_month, int at_hour = 0) {
    namespace c = std::chrono;
    auto const date = c::year(year) / c::month(static_cast<unsigned>(month)) / c::day(static_cast<unsigned>(of_month));
    return c::sys_time<milliseconds>(c::sys_days(date)).time_since_epoch().count() + at_hour * hour;
}

}  // namespace

BOOST_AUTO_TEST_CASE(local_days) {
    struct row {
        char const* what;
        char const* zone;
        milliseconds interval;
        milliseconds offset;
        time_ms time;
        time_ms start;
        time_ms hours;  // of the window
    };
    std::vector<row> const rows{
        {"UTC by default", "", day, 0h, at(2026, 7, 1, 12), at(2026, 7, 1), 24},
        {"UTC by name", "UTC", day, 0h, at(2026, 7, 1, 12), at(2026, 7, 1), 24},
        {"summer", "Europe/Berlin", day, 0h, at(2026, 7, 1, 12), at(2026, 6, 30, 22), 24},
        {"winter", "Europe/Berlin", day, 0h, at(2026, 1, 10, 22), at(2026, 1, 9, 23), 24},
        {"its first moment", "Europe/Berlin", day, 0h, at(2026, 1, 9, 23), at(2026, 1, 9, 23), 24},
        {"the day before ends", "Europe/Berlin", day, 0h, at(2026, 1, 9, 23) - 1, at(2026, 1, 8, 23), 24},
        {"clocks go forward", "Europe/Berlin", day, 0h, at(2026, 3, 29, 12), at(2026, 3, 28, 23), 23},
        {"clocks go back", "Europe/Berlin", day, 0h, at(2026, 10, 25, 12), at(2026, 10, 24, 22), 25},
        {"clocks go back in America", "America/New_York", day, 0h, at(2026, 11, 1, 12), at(2026, 11, 1, 4), 25},
        {"two days with a change", "Europe/Berlin", 2 * day, 0h, at(2026, 10, 25, 12), at(2026, 10, 23, 22), 49},
        {"days from six to six", "Europe/Berlin", day, 6h, at(2026, 3, 29, 3), at(2026, 3, 28, 5), 23},
        {"an offset of more than a day", "Europe/Berlin", day, 30h, at(2026, 3, 29, 3), at(2026, 3, 28, 5), 23},
        {"an offset before midnight", "Europe/Berlin", day, -6h, at(2026, 7, 1, 12), at(2026, 6, 30, 16), 24},
        {"an offset into what is skipped", "Europe/Berlin", day, 2h + 30min, at(2026, 3, 29, 12), at(2026, 3, 29, 1),
         0},
        {"a change at midnight", "America/Sao_Paulo", day, 0h, at(2018, 11, 4, 12), at(2018, 11, 4, 3), 23},
        {"a quarter of an hour", "Asia/Kathmandu", day, 0h, at(2026, 7, 1, 12), at(2026, 6, 30, 18) + hour / 4, 24},
        {"a day that was left out", "Pacific/Apia", day, 0h, at(2011, 12, 30, 9), at(2011, 12, 29, 10), 24},
        {"the one after it", "Pacific/Apia", day, 0h, at(2011, 12, 30, 10), at(2011, 12, 30, 10), 24},
        {"before the epoch", "Europe/Berlin", day, 0h, at(1969, 12, 30, 12), at(1969, 12, 29, 23), 24}};
    for (auto const& each : rows) {
        BOOST_TEST_CONTEXT(each.what) {
            time_grid const grid(each.interval, each.offset, each.zone);
            auto const index = grid.index_of(each.time);
            BOOST_TEST(grid.start_of(index) == each.start);
            if (each.hours > 0) BOOST_TEST(grid.end_of(index) - each.start == each.hours * hour);
            BOOST_TEST(grid.first_from(index) == index);
        }
    }
}

BOOST_AUTO_TEST_CASE(each_moment_is_in_one_window) {
    for (auto const* const zone : {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo",
                                   "Pacific/Apia", "Africa/Casablanca", "Antarctica/Troll"}) {
        for (auto const offset : {milliseconds(0), milliseconds(2h + 30min), milliseconds(-90min)}) {
            time_grid const grid(day, offset, zone);
            auto last = grid.index_of(at(2011, 5, 1));
            for (auto time = at(2011, 5, 1); time < at(2012, 5, 1); time += hour) {
                auto const index = grid.index_of(time);
                BOOST_REQUIRE(grid.start_of(index) <= time);
                BOOST_REQUIRE(time < grid.end_of(index));
                BOOST_REQUIRE((index == last || index == grid.first_from(last + 1)));
                last = index;
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(windows_of_local_days) {
    store::progress from;
    from.start_time = at(2026, 3, 28, 12);
    bench b(fixed_time_window(day, {.time_zone = "Europe/Berlin"}), from);
    b.add(1, at(2026, 3, 28, 22));
    b.add(1, at(2026, 3, 28, 23));
    b.add(1, at(2026, 3, 29, 21));
    b.add(1, at(2026, 3, 29, 22));
    auto const show = [](time_ms start, time_ms end) { return std::to_string(start) + ".." + std::to_string(end); };
    BOOST_TEST(b.next(at(2026, 3, 29, 22)) == "time [0,1) " + show(at(2026, 3, 27, 23), at(2026, 3, 28, 23)));
    BOOST_TEST(b.next(at(2026, 3, 29, 22)) == "time [1,3) " + show(at(2026, 3, 28, 23), at(2026, 3, 29, 22)));
    BOOST_TEST(b.next(at(2026, 3, 29, 22)) == "wait " + std::to_string(at(2026, 3, 30, 22)));
    BOOST_TEST(b.next(at(2026, 3, 31, 5)) == "seal " + std::to_string(at(2026, 3, 30, 22)));
}

BOOST_AUTO_TEST_CASE(day_that_was_left_out_is_no_window) {
    store::progress from;
    from.start_time = at(2011, 12, 28, 10);
    bench b(fixed_time_window(day, {.time_zone = "Pacific/Apia"}), from);
    b.add(1, at(2012, 1, 1, 12));
    std::vector<std::string> ids;
    for (int i = 0; i < 4; ++i) {
        auto const made = std::get<cut>(b.plan.next(b.pending, windowing_test::at(at(2012, 1, 1, 12))));
        BOOST_TEST(made.count() == 0);
        BOOST_TEST(made.end - made.start == 24 * hour);
        ids.push_back(window_id("g", 0, made));
    }
    BOOST_TEST(ids.front() == "g/0/@" + std::to_string(at(2011, 12, 28, 10)));
    BOOST_TEST(ids.back() == "g/0/@" + std::to_string(at(2011, 12, 31, 10)));
}

BOOST_AUTO_TEST_CASE(what_is_refused) {
    struct row {
        char const* zone;
        milliseconds interval;
        char const* part;
    };
    for (auto const& each : {row{"Europe/Nowhere", day, "Europe/Nowhere"}, row{"../etc/passwd", day, "passwd"},
                             row{"Europe/Berlin", 1h, "whole days"}, row{"Europe/Berlin", day + 1ms, "whole days"},
                             row{"Europe/Berlin", 36h, "whole days"}}) {
        BOOST_CHECK_EXCEPTION(fixed_time_window(each.interval, {.time_zone = each.zone}), error,
                              [&](error const& problem) {
                                  return problem.code() == errc::invalid_argument &&
                                         problem.diagnostics().find(each.part) != std::string::npos;
                              });
    }
    BOOST_CHECK_EXCEPTION(fixed_time_window(day, {.time_zone = std::string(500, 'x')}), error,
                          fails_with(errc::invalid_argument));
}

// g++ 12 destroys braced arguments of a `co_await` twice.
static_assert(std::is_trivially_destructible_v<fixed_time_options>);
static_assert(std::is_trivially_destructible_v<relaxed_time_options>);

BOOST_AUTO_TEST_SUITE_END()
