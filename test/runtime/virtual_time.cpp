#include <boost/test/unit_test.hpp>

#include "support/rig.hpp"

using namespace std::chrono_literals;
using namespace minibatch;
using namespace minibatch::test;

BOOST_AUTO_TEST_SUITE(virtual_time_windows)

namespace {

time_ms ms(time_point when) { return when.time_since_epoch().count(); }

void check_window(next const& got, std::vector<std::int64_t> const& expected, time_ms start, time_ms end) {
    BOOST_REQUIRE(got.ok());
    BOOST_REQUIRE(got.value().has_value());
    auto const& found = *got.value();
    BOOST_TEST(values(found) == expected, boost::test_tools::per_element());
    BOOST_TEST(ms(found.start()) == start);
    BOOST_TEST(ms(found.end()) == end);
}

}  // namespace

BOOST_AUTO_TEST_CASE(fixed_windows_close_at_their_bounds) {
    rig w;
    auto const t = w.now();  // a multiple of the interval
    auto windows = w.consume(fixed_time_window(1s));
    auto take = [&] { return w.begin(windows.next_window()); };

    auto first = take();
    w.append(0);
    w.advance(999ms);
    w.append(1);
    BOOST_TEST(!first.done());
    w.advance(1ms);
    check_window(first, {0, 1}, t, t + 1000);
    BOOST_TEST(w.store->state(w.log, w.time->now()).last_created == t + 1000);  // sealed
    w.append(2);
    w.finish(first.value()->commit());

    auto second = take();
    w.advance(999ms);
    BOOST_TEST(!second.done());
    w.advance(1ms);
    check_window(second, {2}, t + 1000, t + 2000);
    w.finish(second.value()->commit());

    for (int empty = 2; empty < 5; ++empty) {
        auto const none = take();
        BOOST_TEST(!none.done());
        w.advance(999ms);
        BOOST_TEST(!none.done());
        w.advance(1ms);
        check_window(none, {}, t + empty * 1000, t + (empty + 1) * 1000);
        BOOST_TEST(none.value()->id() == "default/0/@" + std::to_string(t + empty * 1000));
        w.finish(none.value()->commit());
    }
}

BOOST_AUTO_TEST_CASE(a_message_at_the_bound_is_in_the_later_window) {
    rig w;
    auto const t = w.now();
    auto windows = w.consume(fixed_time_window(1s, {.emit_empty = false}));
    w.append(0);
    w.time->move_to(w.time->now() + 1s);  // the message comes before the consumer has looked at the clock
    w.append(1);
    auto const first = w.begin(windows.next_window());
    check_window(first, {0}, t, t + 1000);
    w.finish(first.value()->commit());
    auto const second = w.begin(windows.next_window());
    BOOST_TEST(!second.done());
    w.advance(1s);
    check_window(second, {1}, t + 1000, t + 2000);
    w.finish(second.value()->commit());
    auto const third = w.begin(windows.next_window());
    w.advance(10s);
    BOOST_TEST(!third.done());  // no empty windows
    w.append(2);
    w.advance(1s);
    check_window(third, {2}, t + 12'000, t + 13'000);
}

BOOST_AUTO_TEST_CASE(relaxed_windows_take_what_has_arrived) {
    rig w;
    auto windows = w.consume(relaxed_time_window(1s));
    auto const t = w.now();
    auto const first = w.begin(windows.next_window());
    w.advance(10ms);
    w.append(0);
    w.advance(989ms);
    w.append(1);
    BOOST_TEST(!first.done());
    w.advance(1ms);
    check_window(first, {0, 1}, t, t + 1000);
    w.finish(first.value()->commit());

    auto const second = w.begin(windows.next_window());
    w.advance(1300ms);  // a tick without messages
    BOOST_TEST(!second.done());
    w.append(2);
    w.advance(699ms);
    BOOST_TEST(!second.done());
    w.advance(1ms);
    BOOST_REQUIRE(second.ok());
    BOOST_TEST(values(*second.value()).size() == 1U);
    BOOST_TEST(ms(second.value()->end()) == t + 3000);
}

BOOST_AUTO_TEST_CASE(max_age_runs_from_the_first_message) {
    rig w;
    auto windows = w.consume(count_window(100) || max_age(200ms));
    auto const first = w.begin(windows.next_window());
    w.advance(1s);
    auto const t = w.now();
    w.append(0);
    w.advance(150ms);
    w.append(1);
    w.advance(49ms);
    BOOST_TEST(!first.done());
    w.advance(1ms);
    check_window(first, {0, 1}, t, t + 150);
    BOOST_TEST((first.value()->reason() == window_reason::timeout));
}

BOOST_AUTO_TEST_CASE(producer_lingers_from_the_first_document) {
    rig w;
    auto writer = w.readings.make_producer({.linger = 5ms});
    w.finish(writer.append(reading(0)));
    w.advance(3ms);
    w.finish(writer.append(reading(1)));
    w.advance(1ms);
    BOOST_TEST(w.stored() == 0);
    w.advance(1ms);
    BOOST_TEST(w.stored() == 2);
    w.finish(writer.append(reading(2)));
    w.advance(4ms);
    BOOST_TEST(w.stored() == 2);
    w.advance(1ms);
    BOOST_TEST(w.stored() == 3);
}

BOOST_AUTO_TEST_CASE(a_full_producer_sends_before_its_linger_is_over) {
    rig w;
    auto const size = encode_document(reading(1)).text.size();
    auto writer = w.readings.make_producer({.batch_size = 100, .linger = 1h, .max_pending_bytes = size});
    std::vector<started<void>> appends;
    for (int i = 0; i < 5; ++i) appends.push_back(w.start(writer.append(reading(i))));
    w.settle();
    for (auto const& each : appends) BOOST_TEST(each.ok());
    BOOST_TEST(w.stored() >= 4);
}

BOOST_AUTO_TEST_CASE(a_failed_window_comes_again_after_its_delay) {
    rig w;
    w.append(0);
    w.append(1);
    auto windows = w.consume(count_window(1));
    auto const first = w.begin(windows.next_window());
    w.finish(first.value()->fail("on purpose", 700ms));
    auto const second = w.begin(windows.next_window());
    w.advance(699ms);
    BOOST_TEST(!second.done());
    w.advance(1ms);
    BOOST_REQUIRE(second.ok());
    BOOST_TEST(second.value()->id() == "default/0/0-0");
    BOOST_TEST(second.value()->attempt() == 2);

    // By default 100 ms, doubled each time, less up to a half; this is the second failure.
    w.finish(second.value()->fail("on purpose"));
    auto const third = w.begin(windows.next_window());
    w.advance(99ms);
    BOOST_TEST(!third.done());
    w.advance(101ms);
    BOOST_REQUIRE(third.ok());
    BOOST_TEST(third.value()->attempt() == 3);

    // Dropping a window that was looked at is a failure, too.
    BOOST_TEST(values(*third.value()).size() == 1U);
    third.value().reset();
    auto const fourth = w.begin(windows.next_window());
    w.advance(199ms);
    BOOST_TEST(!fourth.done());
    w.advance(201ms);
    BOOST_REQUIRE(fourth.ok());
    BOOST_TEST(fourth.value()->attempt() == 4);
    w.finish(fourth.value()->commit());
    auto const other = w.begin(windows.next_window());
    BOOST_TEST(other.value()->id() == "default/0/1-1");
    BOOST_TEST(other.value()->attempt() == 1);
}

BOOST_AUTO_TEST_CASE(an_old_handle_does_not_touch_a_later_delivery) {
    rig w;
    w.append(0);
    auto windows = w.consume(count_window(1));
    auto const first = w.begin(windows.next_window());
    BOOST_TEST(values(*first.value()).size() == 1U);
    w.finish(first.value()->fail("on purpose", 0ms));
    auto const second = w.begin(windows.next_window());
    BOOST_REQUIRE(second.ok());
    auto const late = w.begin(first.value()->commit());
    BOOST_TEST((late.code() == errc::window_closed));
    auto const failure = w.begin(first.value()->fail("again"));
    BOOST_TEST((failure.code() == errc::window_closed));
    first.value().reset();  // as in `window = co_await consumer.next_window()`
    auto const commit = w.begin(second.value()->commit());
    BOOST_TEST(commit.what() == "");
    BOOST_TEST(w.group().state.low == 1);
}

BOOST_AUTO_TEST_CASE(windows_that_come_back_together_keep_their_order) {
    rig w;
    for (int i = 0; i < 3; ++i) w.append(i);
    auto windows = w.consume(count_window(1), {.max_in_flight = 3});
    for (bool const failed : {false, true}) {
        std::vector<next> taken;
        for (int i = 0; i < 3; ++i) taken.push_back(w.begin(windows.next_window()));
        for (auto const& each : taken) {
            if (failed) w.start(each.value()->fail("on purpose", 100ms));
            if (!failed) each.value().reset();
        }
        w.advance(200ms);
        std::vector<std::string> ids;
        for (int i = 0; i < 3; ++i) {
            taken.push_back(w.begin(windows.next_window()));
            BOOST_REQUIRE(taken.back().ok());
            ids.push_back(taken.back().value()->id());
        }
        std::vector<std::string> const expected{"default/0/0-0", "default/0/1-1", "default/0/2-2"};
        BOOST_TEST(ids == expected, boost::test_tools::per_element());
        for (auto const& each : taken) each.value().reset();
        w.settle();
    }
}

BOOST_AUTO_TEST_CASE(retention_by_age_and_by_number) {
    rig w({.max_age = 5s});
    for (int i = 0; i < 4; ++i) {
        w.append(i);
        w.advance(1s);
    }
    auto const floor = [&] { return w.store->state(w.log, w.time->now()).floor.offset; };
    BOOST_TEST(floor() == 0);
    w.advance(1s);  // the first is exactly 5 s old
    BOOST_TEST(floor() == 0);
    w.advance(1s);
    BOOST_TEST(floor() == 1);
    w.advance(1min);
    BOOST_TEST(floor() == 3);  // the last record stays

    w.readings = w.finish(stream::get_or_create(w.db, "readings", {.max_messages = 2}));
    for (int i = 4; i < 8; ++i) w.append(i);
    w.advance(1s);
    BOOST_TEST(floor() == 6);
}

BOOST_AUTO_TEST_SUITE_END()
