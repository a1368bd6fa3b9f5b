#include <boost/test/unit_test.hpp>

#include "windowing_support.hpp"

using namespace windowing_test;  // NOLINT(google-build-using-namespace)

BOOST_AUTO_TEST_SUITE(windowing_relaxed)

BOOST_AUTO_TEST_CASE(all_that_arrived_every_interval) {
    bench b(relaxed_time_window(milliseconds(100)));
    BOOST_TEST(b.next(1000) == "wait");
    b.add(2, 1010);
    BOOST_TEST(b.next(1010) == "wait 1100");
    b.add(1, 1100);
    BOOST_TEST(b.next(1103) == "time [0,3) 1000..1103 recorded");
    b.add(1, 1104);
    BOOST_TEST(b.next(1104) == "wait 1200");  // a late wake-up does not shift the ticks
}

BOOST_AUTO_TEST_CASE(an_overrun_fires_at_once_without_catching_up) {
    bench b(relaxed_time_window(milliseconds(100)));
    b.add(1, 1000);
    BOOST_TEST(b.next(1000) == "wait 1100");
    BOOST_TEST(b.next(1100) == "time [0,1) 1000..1100 recorded");
    b.add(1, 1545);
    BOOST_TEST(b.next(1550) == "time [1,2) 1100..1550 recorded");
    b.add(1, 1551);
    BOOST_TEST(b.next(1551) == "wait 1650");
}

BOOST_AUTO_TEST_CASE(idle_ticks_pass_silently) {
    bench b(relaxed_time_window(milliseconds(100)));
    BOOST_TEST(b.next(1000) == "wait");
    b.add(1, 1730);
    BOOST_TEST(b.next(1730) == "wait 1800");
    BOOST_TEST(b.next(1800) == "time [0,1) 1700..1800 recorded");
}

BOOST_AUTO_TEST_CASE(empty_windows_on_request) {
    bench b(relaxed_time_window(milliseconds(100), {.emit_empty = true}));
    BOOST_TEST(b.next(1000) == "wait 1100");
    BOOST_TEST(b.next(1100) == "time 1000..1100 recorded");
    BOOST_TEST(b.next(1500) == "time 1100..1500 recorded");
    BOOST_TEST(b.next(1500) == "wait 1600");
}

BOOST_AUTO_TEST_CASE(it_goes_on_from_its_last_window) {
    store::progress from;
    from.windows_end = 5000;
    bench b(relaxed_time_window(milliseconds(100)), from);
    b.pending.set_caught_up(false);
    b.add(1, 5010);
    BOOST_TEST(b.next(5500) == "read on");
    b.pending.set_caught_up(true);
    BOOST_TEST(b.next(5500) == "time [0,1) 5000..5500 recorded");
}

BOOST_AUTO_TEST_CASE(count_bytes_and_age_close_it_earlier) {
    bench b(relaxed_time_window(milliseconds(1000)) || count_window(4) || max_bytes(35) || max_age(milliseconds(50)));
    b.add(5, 1000, 5);
    BOOST_TEST(b.next(1000) == "count [0,4) 1000..1000 recorded");
    b.add(2, 1001);
    BOOST_TEST(b.next(1001) == "wait 1050");
    b.add(1, 1002);
    BOOST_TEST(b.next(1002) == "count [4,8) 1000..1002 recorded");
    b.add(1, 1003, 30);
    b.add(1, 1003);
    BOOST_TEST(b.next(1003) == "bytes [8,9) 1002..1003 recorded");
    BOOST_TEST(b.next(1053) == "timeout [9,10) 1003..1053 recorded");
    BOOST_TEST(b.next(1053) == "wait");
}

BOOST_AUTO_TEST_CASE(a_backlog_is_bounded) {
    bench b(relaxed_time_window(milliseconds(1000)));
    b.pending.set_caught_up(false);
    for (int i = 0; i < 65; ++i) b.add(1, 10, 1 << 20);
    BOOST_TEST(b.next(10) == "bytes [0,64) 10..10 recorded");
    BOOST_TEST(b.next(10) == "read on");
    BOOST_TEST(b.flush(20) == "read on");
    b.pending.set_caught_up(true);
    BOOST_TEST(b.flush(20) == "flush [64,65) 10..20 recorded");
}

BOOST_AUTO_TEST_SUITE_END()
