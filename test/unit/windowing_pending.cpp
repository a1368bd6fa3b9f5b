#include <boost/test/unit_test.hpp>

#include "windowing_support.hpp"

using namespace windowing_test;  // NOLINT(google-build-using-namespace)

BOOST_AUTO_TEST_SUITE(windowing_pending)

BOOST_AUTO_TEST_CASE(what_is_committed_is_not_pending) {
    store::progress from;
    from.low = 3;
    from.low_number = 7;
    from.committed = {{5, 8}, {11, 13}};
    pending_log pending(from);
    pending.feed(make_segment(6, 0, 2, 1), 0);  // before the low record: ignored
    pending.feed(make_segment(7, 2, 4, 10), 0);
    pending.feed(make_segment(8, 6, 1, 20), 0);
    pending.feed(make_segment(9, 7, 10, 30), 0);
    pending.feed(make_segment(9, 7, 10, 30), 0);  // twice
    BOOST_TEST(pending.count() == 2 + 3 + 4);
    BOOST_TEST(pending.bytes() == 90);
    BOOST_TEST(pending.front() == 3);
    BOOST_TEST(pending.fed_end() == 17);
    BOOST_TEST(pending.next_number() == 10);
    BOOST_TEST(pending.newest() == 30);
    BOOST_TEST(
        (make_cut(pending.take_front(6), window_reason::count, true).offsets == ranges{{3, 5}, {8, 11}, {13, 14}}));
    BOOST_TEST(pending.front() == 14);
    BOOST_TEST(pending.bytes() == 30);
    BOOST_TEST(pending.settled_from(0).value().begin == 10);
    BOOST_TEST(pending.settled_from(11).value().begin == 20);
    BOOST_TEST(!pending.settled_from(31));
}

BOOST_AUTO_TEST_CASE(gaps_of_retention_are_stepped_over) {
    pending_log pending({});
    pending.feed(make_segment(0, 0, 4, 10), 0);
    BOOST_TEST((pending.drop_below(2, 10) == store::time_range{10, 11}));
    BOOST_TEST(pending.count() == 2);
    BOOST_TEST(pending.bytes() == 20);
    pending.feed(make_segment(5, 20, 2, 20), 0);
    BOOST_TEST((make_cut(pending.take_front(9), window_reason::count, true).offsets == ranges{{2, 4}, {20, 22}}));
    BOOST_TEST(pending.empty());
    pending.feed(make_segment(6, 22, 2, 20), 0);
    BOOST_TEST((pending.drop_below(100, 70) == store::time_range{20, 71}));
    BOOST_TEST((pending.drop_below(150, 90) == store::time_range{20, 91}));  // none of it was read
    BOOST_TEST((pending.settled_from(30) == store::time_range{30, 91}));
    BOOST_TEST(pending.empty());
    BOOST_TEST(pending.front() == 150);
    BOOST_TEST(pending.count() == 0);
    BOOST_TEST(pending.bytes() == 0);
}

BOOST_AUTO_TEST_CASE(any_messages_can_be_taken) {
    pending_log pending({});
    for (int i = 0; i < 5; ++i) pending.feed(make_segment(i, i * 10, 10, i), 0);
    auto const wanted = std::vector<std::int64_t>{45, 46, 12, 9, 10, 11, 0};
    auto const made = make_cut(pending.take(wanted), window_reason::custom, false);
    BOOST_TEST((made.offsets == ranges{{45, 47}, {12, 13}, {9, 12}, {0, 1}}));
    BOOST_TEST(made.first == 0);
    BOOST_TEST(made.last == 46);
    BOOST_TEST(made.start == 0);
    BOOST_TEST(made.end == 4);
    BOOST_TEST(pending.count() == 43);
    BOOST_TEST(pending.bytes() == 430);
    BOOST_CHECK_EXCEPTION(pending.take(std::vector<std::int64_t>{12}), error, fails_with(errc::emitter_failed));
    auto const rest = make_cut(pending.take_front(100), window_reason::flush, false);
    BOOST_TEST((rest.offsets == ranges{{1, 9}, {13, 45}, {47, 50}}));
}

BOOST_AUTO_TEST_CASE(recorded_windows_come_back_as_they_were) {
    store::progress from;
    from.recorded = {{{{6, 8}, {1, 3}}, 5, 50, window_reason::custom, {}},
                     {{}, 50, 60, window_reason::time, 60},
                     {{{20, 22}}, 7, 8, window_reason::flush, 80}};
    bench b(count_window(3), from);
    b.add(4, 10);
    BOOST_TEST(b.next(10) == "time 50..60 recorded");
    BOOST_TEST(b.pending.count() == 2);
    BOOST_TEST(b.next(10) == "wait");
    b.add(4, 20);
    BOOST_TEST(b.next(20) == "count [0,1) [3,5) 10..20");  // in its place by offset
    BOOST_TEST(b.next(20) == "custom [6,8) [1,3) 5..50 recorded");
    BOOST_TEST(b.next(20) == "wait");
    b.number = 9;
    b.offset = 21;  // 8 to 20 were removed by retention
    b.add(1, 30);
    auto const clipped = std::get<cut>(b.plan.next(b.pending, at(30)));
    BOOST_TEST((clipped.offsets == ranges{{21, 22}}));
    BOOST_TEST(clipped.windows_end.value() == 80);
    BOOST_TEST(b.next(30) == "wait");
}

BOOST_AUTO_TEST_CASE(a_recorded_window_that_is_gone_holds_nothing_up) {
    store::progress from;
    from.recorded = {{{{0, 2}}, 5, 50, window_reason::timeout, {}}, {{{2, 4}}, 5, 50, window_reason::timeout, {}}};
    bench b(count_window(1), from);
    b.pending.set_caught_up(false);
    BOOST_TEST(b.next(10) == "read on");
    b.offset = 10;
    b.add(1, 10);
    BOOST_TEST(b.next(10) == "count [10,11) 10..10");
}

BOOST_AUTO_TEST_CASE(arrival_of_the_first_message) {
    pending_log pending({});
    pending.feed(make_segment(0, 0, 2, 10), 100);
    pending.feed(make_segment(1, 2, 2, 11), 100);
    pending.feed(make_segment(2, 4, 0, 12), 150);  // a control record
    pending.feed(make_segment(3, 4, 2, 13), 200);
    BOOST_TEST(pending.front_arrived() == 100);
    pending.take_front(3);
    BOOST_TEST(pending.front_arrived() == 100);
    pending.take_front(1);
    BOOST_TEST(pending.front_arrived() == 200);
    pending.take_front(2);
    pending.feed(make_segment(4, 6, 1, 13), 300);
    BOOST_TEST(pending.front_arrived() == 300);
    pending.drop_below(7, 13);
    pending.feed(make_segment(5, 7, 3, 13), 400);
    BOOST_TEST(pending.front_arrived() == 400);
    pending.feed(make_segment(6, 10, 3, 13), 500);
    std::vector<std::int64_t> const taken{7, 8, 9};
    pending.take(taken);
    BOOST_TEST(pending.front_arrived() == 500);
}

BOOST_AUTO_TEST_SUITE_END()
