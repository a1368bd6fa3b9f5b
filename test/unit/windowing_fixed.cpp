#include <boost/test/unit_test.hpp>

#include "windowing_support.hpp"

using namespace windowing_test;  // NOLINT(google-build-using-namespace)

BOOST_AUTO_TEST_SUITE(windowing_fixed)

namespace {

strategy every(std::int64_t interval, fixed_time_options options = {}) {
    return fixed_time_window(milliseconds(interval), options);
}

store::progress started(time_ms at) {
    store::progress from;
    from.start_time = at;
    return from;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_window_closes_once_no_message_can_come) {
    bench b(every(100), started(1010));
    BOOST_TEST(b.next(1050) == "wait 1100");
    b.add(2, 1010);
    b.add(1, 1099);
    BOOST_TEST(b.next(1099) == "wait 1100");
    BOOST_TEST(b.next(1100) == "seal 1100");
    b.add(1, 1100);
    BOOST_TEST(b.next(1100) == "time [0,3) 1000..1100");
    BOOST_TEST(b.next(1100) == "wait 1200");
    b.pending.set_caught_up(false);
    BOOST_TEST(b.next(1200) == "read on");
    b.pending.set_caught_up(true);
    b.seal(1200);
    BOOST_TEST(b.next(1200) == "time [3,4) 1100..1200");
}

BOOST_AUTO_TEST_CASE(a_seal_counts_without_its_record) {
    bench b(every(100), started(1000));
    b.add(2, 1010);
    BOOST_TEST(b.next(1100) == "seal 1100");
    b.pending.sealed(1100, 3);  // the log has one more message, still to be read
    BOOST_TEST(b.next(1100) == "seal 1100");
    b.add(1, 1050);
    BOOST_TEST(b.next(1100) == "time [0,3) 1000..1100");
}

BOOST_AUTO_TEST_CASE(empty_windows_are_emitted_and_caught_up) {
    bench b(every(100, {.offset = {}, .max_empty = 3}), started(1000));
    BOOST_TEST(b.next(1100) == "seal 1100");
    b.seal(1100);
    BOOST_TEST(b.next(1100) == "time 1000..1100");
    BOOST_TEST(b.next(1100) == "wait 1200");
    BOOST_TEST(b.next(9050) == "seal 9000");
    b.seal(9000);
    for (auto const* each : {"time 8700..8800", "time 8800..8900", "time 8900..9000", "wait 9100"}) {
        BOOST_TEST(b.next(9050) == each);
    }
    b.add(1, 9950);
    BOOST_TEST(b.next(9960) == "time 9600..9700");
}

BOOST_AUTO_TEST_CASE(without_empty_windows_it_sleeps) {
    bench b(every(100, {.offset = {}, .emit_empty = false}), started(1000));
    BOOST_TEST(b.next(5000) == "wait");
    b.add(1, 5010);
    BOOST_TEST(b.next(5010) == "wait 5100");
    b.seal(5100);
    BOOST_TEST(b.next(5100) == "time [0,1) 5000..5100");
    BOOST_TEST(b.next(9000) == "wait");
}

BOOST_AUTO_TEST_CASE(alignment_is_by_floor_also_before_the_epoch) {
    bench b(every(100, {.offset = milliseconds(30), .emit_empty = false}), started(-50));
    b.add(1, -75);
    b.add(1, -70);
    b.add(1, 29);
    b.add(1, 30);
    BOOST_TEST(b.next(30) == "time [0,1) -170..-70");
    BOOST_TEST(b.next(30) == "time [1,3) -70..30");  // the boundaries are at 30 + n * 100
}

BOOST_AUTO_TEST_CASE(it_starts_at_windows_end_but_not_after_the_first_message) {
    auto from = started(1000);
    from.windows_end = 3000;
    bench b(every(100), from);
    b.add(1, 2950);  // its window was flushed before it was over
    b.add(1, 3150);
    BOOST_TEST(b.next(3150) == "time [0,1) 2900..3000");
    BOOST_TEST(b.next(3150) == "time 3000..3100");
    BOOST_TEST(b.next(3150) == "wait 3200");
}

BOOST_AUTO_TEST_CASE(a_flush_splits_a_window) {
    bench b(every(100), started(1000));
    b.add(2, 1010);
    BOOST_TEST(b.flush(1020) == "flush [0,2) 1000..1100 recorded");
    BOOST_TEST(b.flush(1020) == "nothing");
    b.add(1, 1030);
    b.seal(1100);
    BOOST_TEST(b.next(1100) == "time [2,3) 1000..1100");
    BOOST_TEST(b.next(1100) == "wait 1200");
}

BOOST_AUTO_TEST_CASE(windows_committed_before_are_not_empty) {
    auto from = started(1000);
    from.committed = {{2, 3}};
    bench b(every(100), from);
    b.add(2, 1010);
    b.add(1, 1110);
    b.seal(1300);
    BOOST_TEST(b.next(1300) == "time [0,2) 1000..1100");
    BOOST_TEST(b.next(1300) == "time 1200..1300");
}

BOOST_AUTO_TEST_CASE(windows_committed_out_of_order_do_not_come_again) {
    auto from = started(1000);
    from.windows_done = {{1100, 1200}, {1300, 1500}};
    bench b(every(100), from);
    b.seal(1700);
    for (auto const* each : {"time 1000..1100", "time 1200..1300", "time 1500..1600", "time 1600..1700", "wait 1800"}) {
        BOOST_TEST(b.next(1700) == each);
    }
}

BOOST_AUTO_TEST_CASE(what_comes_after_a_flush_is_delivered_though_its_window_is_done) {
    auto from = started(1000);
    from.windows_done = {{1100, 1500}};
    bench b(every(100), from);
    b.add(1, 1210);
    b.seal(1600);
    for (auto const* each : {"time 1000..1100", "time [0,1) 1200..1300", "time 1500..1600"}) {
        BOOST_TEST(b.next(1600) == each);
    }
}

BOOST_AUTO_TEST_CASE(what_retention_removed_is_not_shown_as_empty) {
    bench read(every(100), started(1000));
    for (time_ms at : {1010, 1250, 1450}) read.add(1, at);
    read.seal(1700);
    read.pending.drop_below(2, 0);
    for (auto const* each : {"time 1300..1400", "time [2,3) 1400..1500", "time 1500..1600"}) {
        BOOST_TEST(read.next(1700) == each);
    }

    bench unread(every(100), started(1000));
    unread.add(1, 1010);
    unread.seal(1200);
    unread.pending.drop_below(7, 1450);  // the first is dropped as well
    unread.offset = 7;
    unread.add(1, 1450);
    unread.add(1, 1650);
    unread.seal(1700);
    for (auto const* each : {"time [7,8) 1400..1500", "time 1500..1600", "time [8,9) 1600..1700"}) {
        BOOST_TEST(unread.next(1700) == each);
    }
}

BOOST_AUTO_TEST_CASE(an_unfinished_run_of_empty_windows_is_read_first) {
    bench b(every(100, {.offset = {}, .max_empty = 1}), started(1000));
    b.pending.set_caught_up(false);
    b.seal(2000);
    BOOST_TEST(b.next(5000) == "read on");
    b.add(1, 3000);
    BOOST_TEST(b.next(5000) == "time 2900..3000");
}

BOOST_AUTO_TEST_SUITE_END()
