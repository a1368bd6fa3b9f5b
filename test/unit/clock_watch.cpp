#include <boost/test/unit_test.hpp>

#include "runtime/clock_reader.hpp"

using namespace std::chrono_literals;
using namespace minibatch::runtime;

BOOST_AUTO_TEST_SUITE(clock_watches)

namespace {

constexpr time_ms start = 1'700'000'000'000;
constexpr time_ms hour = 3'600'000;
steady_time at(milliseconds since) { return steady_time{} + since; }

}  // namespace

BOOST_AUTO_TEST_CASE(jumps_of_more_than_a_second_are_told) {
    clock_watch watch;
    BOOST_TEST(!watch.look(start, at(0s)));
    BOOST_TEST(!watch.look(start + 10'900, at(10s)));
    BOOST_TEST((watch.look(start + 11'000 + hour, at(11s)) == milliseconds(hour)));
    BOOST_TEST(!watch.look(start + 12'000 + hour, at(12s)));
    BOOST_TEST(!watch.look(start + 13'000, at(13s)));  // silent for a minute
    BOOST_TEST((watch.look(start + 72'000, at(72s)) == milliseconds(-hour)));
}

BOOST_AUTO_TEST_CASE(clock_that_stands_still_is_told_once_a_minute) {
    clock_watch watch;
    watch.look(start, at(0s));
    int told = 0;
    for (int second = 1; second <= 600; ++second) told += watch.look(start, at(std::chrono::seconds(second))) ? 1 : 0;
    BOOST_TEST(told == 10);
}

BOOST_AUTO_TEST_CASE(time_for_removals_does_not_follow_a_jump_at_once) {
    struct row {
        char const* what;
        milliseconds elapsed;
        time_ms clock;
        time_ms expected;
    };
    std::vector<row> const rows{{"right", 1s, start + 1'000, start + 1'000},
                                {"ahead by an hour", 2s, start + 2'000 + hour, start + 2'000},
                                {"still ahead", 500s, start + 500'000 + hour, start + 500'000},
                                {"right again", 501s, start + 501'000, start + 501'000},
                                {"ahead again", 502s, start + 502'000 + hour, start + 502'000},
                                {"for ten minutes", 1102s, start + 1'102'000 + hour, start + 1'102'000 + hour},
                                {"set back", 1103s, start + 1'103'000, start + 1'103'000}};
    clock_watch watch;
    watch.look(start, at(0s));
    for (auto const& each : rows) {
        watch.look(each.clock, at(each.elapsed));
        BOOST_TEST(watch.settled(at(each.elapsed)) == each.expected, each.what);
    }
}

BOOST_AUTO_TEST_CASE(text_of_a_time) {
    BOOST_TEST(utc_text(0) == "1970-01-01T00:00:00Z");
    BOOST_TEST(utc_text(1'709'251'199'999) == "2024-02-29T23:59:59Z");
}

BOOST_AUTO_TEST_SUITE_END()
