#include <boost/test/unit_test.hpp>

#include "windowing_support.hpp"

using namespace windowing_test;  // NOLINT(google-build-using-namespace)

BOOST_AUTO_TEST_SUITE(windowing_triggers)

BOOST_AUTO_TEST_CASE(count_cuts_exactly) {
    bench b(count_window(4));
    BOOST_TEST(b.next(0) == "wait");
    b.add(3, 10);
    BOOST_TEST(b.next(10) == "wait");
    b.add(6, 20);
    BOOST_TEST(b.next(20) == "count [0,4) 10..20");
    BOOST_TEST(b.next(20) == "count [4,8) 20..20");
    BOOST_TEST(b.next(20) == "wait");
    b.pending.set_caught_up(false);
    BOOST_TEST(b.next(20) == "read on");
    BOOST_TEST(b.flush(20) == "read on");
    b.pending.set_caught_up(true);
    BOOST_TEST(b.flush(20) == "flush [8,9) 20..20 recorded");
    BOOST_TEST(b.flush(20) == "nothing");
}

BOOST_AUTO_TEST_CASE(count_steps_over_committed_messages) {
    store::progress from;
    from.low = 2;
    from.committed = {{4, 6}, {8, 9}};
    bench b(count_window(4), from);
    b.offset = 0;
    b.add(12, 10);
    BOOST_TEST(b.next(10) == "count [2,4) [6,8) 10..10");
    BOOST_TEST(b.next(10) == "wait");
    BOOST_TEST(b.flush(10) == "flush [9,12) 10..10 recorded");
}

BOOST_AUTO_TEST_CASE(bytes_are_never_exceeded_but_by_a_single_message) {
    bench b(max_bytes(25));
    b.add(2, 10);
    BOOST_TEST(b.next(10) == "wait");
    b.add(1, 11);
    BOOST_TEST(b.next(11) == "bytes [0,2) 10..10");
    b.add(1, 12, 40);
    b.add(1, 13, 40);
    b.add(1, 14, 25);
    BOOST_TEST(b.next(14) == "bytes [2,3) 11..11");
    BOOST_TEST(b.next(14) == "bytes [3,4) 12..12");
    BOOST_TEST(b.next(14) == "bytes [4,5) 13..13");
    BOOST_TEST(b.next(14) == "bytes [5,6) 14..14");  // full to the last byte
    BOOST_TEST(b.next(14) == "wait");
}

BOOST_AUTO_TEST_CASE(whichever_comes_first) {
    bench b(count_window(3) || max_bytes(45) || max_age(milliseconds(100)));
    b.add(3, 10);
    b.add(1, 20, 30);
    b.add(1, 30, 30);
    BOOST_TEST(b.next(500) == "count [0,3) 10..10");
    BOOST_TEST(b.next(500) == "bytes [3,4) 20..20");
    b.pending.set_caught_up(false);
    BOOST_TEST(b.next(500) == "read on");  // age waits for the end of the log
    b.pending.set_caught_up(true);
    BOOST_TEST(b.next(129) == "wait 130");
    BOOST_TEST(b.next(130) == "timeout [4,5) 30..30 recorded");
    BOOST_TEST(b.next(130) == "wait");
}

BOOST_AUTO_TEST_CASE(a_window_bound_by_bytes_ends_at_a_committed_range) {
    store::progress from;
    from.committed = {{2, 4}};
    bench b(count_window(10) || max_bytes(1000), from);
    b.add(4, 10);
    BOOST_TEST(b.next(10) == "bytes [0,2) 10..10");  // nothing is behind the barrier yet
    b.add(4, 10);
    BOOST_TEST(b.next(10) == "wait");
    BOOST_TEST(b.flush(10) == "flush [4,8) 10..10 recorded");
}

BOOST_AUTO_TEST_CASE(age_alone_is_bounded_by_memory) {
    bench b(max_age(milliseconds(100)));
    for (int i = 0; i < 70; ++i) b.add(1, 10, 1 << 20);
    BOOST_TEST(b.next(10) == "bytes [0,64) 10..10");
    BOOST_TEST(b.next(10) == "wait 110");
    BOOST_TEST(b.next(110) == "timeout [64,70) 10..10 recorded");
}

BOOST_AUTO_TEST_SUITE_END()
