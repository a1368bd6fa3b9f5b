#include <boost/test/unit_test.hpp>

#include "support/rig.hpp"

using namespace std::chrono_literals;
using namespace minibatch;
using namespace minibatch::test;

/// Consumers that are stopped while the database does not answer.
BOOST_AUTO_TEST_SUITE(stopping)

BOOST_AUTO_TEST_CASE(a_lease_that_cannot_be_given_back_is_left_to_run_out) {
    rig w;
    auto windows = w.consume(count_window(1));
    auto const waits = w.begin(windows.next_window());
    w.faulty->during_write = [&] {
        w.advance(1'999ms);
        BOOST_TEST(!waits.done());
        w.advance(1ms);
        BOOST_TEST((waits.ok() && !waits.value()));
    };
    windows.stop();
    w.settle();
    BOOST_TEST(!w.faulty->during_write);
    BOOST_TEST(waits.ok());
    BOOST_TEST(w.was_logged("lease not released: the database has not answered"));
}

BOOST_AUTO_TEST_CASE(an_answer_in_time_is_waited_for) {
    rig w;
    auto windows = w.consume(count_window(1));
    auto const waits = w.begin(windows.next_window());
    w.faulty->during_write = [&] { w.advance(1'999ms); };
    windows.stop();
    w.settle();
    BOOST_TEST((waits.ok() && !waits.value()));
    BOOST_TEST(!w.was_logged("lease"));
    BOOST_TEST(w.group().held.expires <= w.now());
}

BOOST_AUTO_TEST_CASE(a_read_is_given_up) {
    rig w;
    auto windows = w.consume(count_window(1));
    auto const waits = w.begin(windows.next_window());
    auto other = w.elsewhere();
    w.faulty->during_read = [&] {
        w.advance(10s);
        BOOST_TEST(!waits.done());
        windows.stop();
        w.advance(1'999ms);
        BOOST_TEST(!waits.done());
        w.advance(1ms);
        BOOST_TEST((waits.ok() && !waits.value()));
    };
    auto const document = reading(0);
    w.finish(other.append(document));
    w.advance(10ms);
    BOOST_TEST(!w.faulty->during_read);
    BOOST_TEST(waits.ok());
}

BOOST_AUTO_TEST_CASE(who_waits_for_the_lease_gives_up) {
    rig w;
    auto const opening = w.start(w.readings.consume(count_window(1)));
    bool ended = false;
    w.faulty->during_write = [&] {
        w.advance(10s);
        auto& windows = opening.value();
        windows.stop();
        auto const waits = w.start(windows.next_window());
        w.advance(1'999ms);
        BOOST_TEST(!waits.done());
        w.advance(1ms);
        ended = waits.ok() && !waits.value();
    };
    w.settle();
    BOOST_TEST(!w.faulty->during_write);
    BOOST_TEST(ended);
}

BOOST_AUTO_TEST_CASE(a_window_in_hand_is_committed_when_the_database_is_back) {
    rig w;
    w.append(0);
    auto windows = w.consume(count_window(1), {.max_in_flight = 2, .lease = 30s});
    auto const held = w.begin(windows.next_window());
    BOOST_REQUIRE(held.ok());
    auto const waits = w.begin(windows.next_window());
    auto other = w.elsewhere();
    w.faulty->during_read = [&] {
        windows.stop();
        w.advance(5s);
        BOOST_TEST(!waits.done());  // the window may still be committed
    };
    auto const document = reading(1);
    w.finish(other.append(document));
    w.advance(10ms);
    BOOST_TEST(!w.faulty->during_read);
    BOOST_TEST(!waits.done());
    // It has answered again: the lease is given back, for which it has its time again.
    w.finish(held.value()->commit());
    w.faulty->during_write = [&] { w.advance(1'999ms); };
    w.settle();
    BOOST_TEST((waits.ok() && !waits.value()));
    BOOST_TEST(w.group().state.low == 1);
    BOOST_TEST(w.group().held.expires <= w.now());
    BOOST_TEST(!w.was_logged("lease"));
}

BOOST_AUTO_TEST_CASE(a_flush_waits_as_long_as_any_operation) {
    rig w;
    auto windows = w.consume(count_window(2));
    auto const waits = w.begin(windows.next_window());
    auto other = w.elsewhere();
    w.faulty->during_read = [&] {
        windows.stop(drain::flush);
        w.advance(10s);
        BOOST_TEST(!waits.done());
    };
    std::vector<boost::json::value> const documents{reading(0), reading(1), reading(2)};
    w.finish(other.append(documents));
    w.advance(10ms);
    BOOST_TEST(!w.faulty->during_read);
    BOOST_REQUIRE(waits.ok());
    BOOST_TEST(waits.value()->size() == 2U);
    w.finish(waits.value()->commit());
    auto const last = w.begin(windows.next_window());
    BOOST_REQUIRE(last.ok());
    BOOST_TEST(last.value()->size() == 1U);
    w.finish(last.value()->commit());
    BOOST_TEST(w.group().state.low == 3);
}

BOOST_AUTO_TEST_SUITE_END()
