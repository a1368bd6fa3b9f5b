#include <boost/test/unit_test.hpp>

#include "support/rig.hpp"

using namespace std::chrono_literals;
using namespace minibatch;
using namespace minibatch::test;

BOOST_AUTO_TEST_SUITE(leases)

namespace {

/// A consumer that holds the first window, and a second one, in another process as it were, that waits for the lease.
struct contest : rig {
    explicit contest(int messages) {
        for (int i = 0; i < messages; ++i) append(i);
        first = consume(count_window(1), {.lease = 3s});
        held = begin(first.next_window());
        BOOST_REQUIRE(held->ok());
        other = elsewhere();
        second = finish(other.consume(count_window(1), {.lease = 3s}));
    }
    window& window_held() const { return *held->value(); }

    consumer first;
    std::optional<next> held;
    stream other;
    consumer second;
};

}  // namespace

BOOST_AUTO_TEST_CASE(renewed_every_third) {
    rig w;
    auto const t = w.now();
    auto windows = w.consume(count_window(1), {.lease = 3s});
    BOOST_TEST(w.group().held.expires == t + 3000);
    for (int third = 1; third < 6; ++third) {
        w.advance(999ms);
        BOOST_TEST(w.group().held.expires == t + (third - 1) * 1000 + 3000);
        w.advance(1ms);
        BOOST_TEST(w.group().held.expires == t + third * 1000 + 3000);
    }
}

BOOST_AUTO_TEST_CASE(a_holder_that_cannot_renew_is_replaced_and_fenced) {
    rig w;
    w.append(0);
    w.append(1);
    auto first = w.consume(count_window(1), {.max_in_flight = 2, .lease = 3s});
    auto const held = w.begin(first.next_window());
    BOOST_REQUIRE(held.ok());
    auto other = w.elsewhere();
    auto second = w.finish(other.consume(count_window(1), {.lease = 3s}));
    auto const taken = w.begin(second.next_window());

    w.advance(1500ms);  // renewed once, at 1 s
    w.faulty->fail_all(errc::unavailable, [](auto call) { return call == "write"; });
    w.advance(2499ms);
    BOOST_TEST(!taken.done());
    auto const waits = w.begin(first.next_window());
    BOOST_TEST(waits.ok());  // the lease still counts
    waits.value().reset();
    w.advance(1ms);
    auto const late = w.begin(first.next_window());
    BOOST_TEST(!late.ok());  // not any more
    late.cancel();
    w.advance(1ms);
    BOOST_REQUIRE(taken.ok());
    BOOST_TEST(taken.value()->id() == held.value()->id());
    BOOST_TEST(taken.value()->attempt() == 2);

    w.faulty->heal();
    auto const commit = w.begin(held.value()->commit());
    BOOST_TEST((commit.code() == errc::fenced));
    BOOST_TEST(commit.what().find(held.value()->id()) != std::string::npos);
    BOOST_TEST(commit.what().find("its lease is gone") != std::string::npos);
    w.finish(taken.value()->commit());
    BOOST_TEST(w.group().state.low == 1);
    auto const rest = w.begin(second.next_window());
    BOOST_REQUIRE(rest.ok());
    BOOST_TEST(rest.value()->id() == "default/0/1-1");
    w.finish(rest.value()->commit());

    // The first one stands by now, and comes back when the second one stops.
    second.stop();
    w.settle();
    w.append(2);
    auto const back = w.begin(first.next_window());
    w.advance(3s);
    BOOST_REQUIRE(back.ok());
    BOOST_TEST(back.value()->id() == "default/0/2-2");
    BOOST_TEST(back.value()->attempt() == 1);
}

BOOST_AUTO_TEST_CASE(a_commit_that_reaches_the_store_too_late_is_refused) {
    contest w(2);
    auto const commit = w.start(w.window_held().commit());
    w.faulty->during_write = [&] {
        w.advance(5s);
        auto const taken = w.begin(w.second.next_window());
        BOOST_REQUIRE(taken.ok());
        BOOST_TEST(taken.value()->id() == w.window_held().id());
        w.finish(taken.value()->commit());
    };
    w.settle();
    BOOST_TEST((commit.code() == errc::fenced));
    BOOST_TEST(commit.what().find("window " + w.window_held().id() + " was not committed") != std::string::npos);
    auto const rest = w.begin(w.second.next_window());
    BOOST_REQUIRE(rest.ok());
    BOOST_TEST(rest.value()->id() == "default/0/1-1");
    BOOST_TEST(rest.value()->attempt() == 1);
}

BOOST_AUTO_TEST_CASE(a_commit_that_was_stored_is_not_called_fenced) {
    contest w(1);
    // The holder hears of the take-over while its commit, which came before, has not been answered yet.
    auto const commit = w.start(w.window_held().commit());
    w.faulty->after_write = [&] {
        w.faulty->fail_all(errc::unavailable, [](auto call) { return call == "write"; });
        w.advance(5s);
    };
    w.settle();
    w.faulty->heal();
    w.advance(1s);
    BOOST_TEST(w.group().held.epoch == 2);
    BOOST_TEST(w.group().state.low == 1);
    BOOST_TEST(commit.ok());
    BOOST_TEST(commit.what() == "");
}

BOOST_AUTO_TEST_CASE(holders_are_told_apart_by_more_than_host_and_process) {
    contest w(1);
    auto const here = w.finish(w.readings.info()).groups.at(0);
    auto const there = w.finish(w.other.info()).groups.at(0);
    BOOST_TEST(here.owner == there.owner);
    BOOST_TEST(here.owned_here);
    BOOST_TEST(!there.owned_here);  // the same process, as after a restart in a container, and yet another holder
    w.finish(w.window_held().commit());
    w.first.stop();
    w.advance(2ms);  // until the change has been looked into
    auto const next = w.finish(w.other.info()).groups.at(0);
    BOOST_TEST(next.owned_here);
    BOOST_TEST(next.owner != here.owner);
}

BOOST_AUTO_TEST_CASE(group_of_a_dead_consumer_is_deleted_after_a_lease) {
    contest w(1);
    w.second.stop();
    w.settle();
    auto const other = w.open(w.memory(w.name));
    auto const refused = w.start(other.delete_group("readings", "default"));
    w.advance(1s);  // within a third of the lease it is renewed
    w.settle();
    w.advance(250ms);
    BOOST_TEST((refused.code() == errc::group_in_use));

    w.faulty->fail_all(errc::unavailable, [](auto call) { return call == "write"; });
    auto const removed = w.start(other.delete_group("readings", "default"));
    w.advance(2999ms);
    BOOST_TEST(!removed.done());
    w.advance(1ms);
    BOOST_TEST(removed.ok());
    BOOST_TEST(removed.what() == "");
}

BOOST_AUTO_TEST_CASE(an_error_that_lasts_gives_the_lease_back) {
    contest w(1);
    w.finish(w.window_held().commit());
    auto const waits = w.begin(w.first.next_window());
    auto const taken = w.begin(w.second.next_window());
    w.faulty->fail_all(errc::corrupt, [](auto call) { return call == "read"; });
    auto const document = reading(1);
    w.finish(w.other.append(document));
    w.advance(50ms);  // far less than a lease
    BOOST_TEST((waits.code() == errc::corrupt));
    BOOST_TEST(taken.ok());
    BOOST_TEST(w.group().held.epoch == 2);
}

BOOST_AUTO_TEST_CASE(a_successor_removes_what_its_predecessor_left) {
    contest w(6);
    w.finish(w.window_held().commit());
    for (int i = 1; i < 5; ++i) {
        auto const window = w.begin(w.first.next_window());
        w.finish(window.value()->commit());
    }
    // Before it was time to trim, the holder is cut off.
    w.faulty->fail_all(errc::unavailable, [](auto call) { return call == "write"; });
    w.advance(5s);
    BOOST_TEST(w.group().held.epoch == 2);
    BOOST_TEST(w.store->state(w.log, w.time->now()).floor.number == 0);
    w.second.stop();
    w.settle();
    BOOST_TEST(w.store->state(w.log, w.time->now()).floor.number == 5);
}

BOOST_AUTO_TEST_CASE(losing_the_lease_while_a_window_is_recorded_is_no_error_of_next_window) {
    rig w;
    auto first = w.consume(relaxed_time_window(1s), {.lease = 3s});
    auto other = w.elsewhere();
    auto second = w.finish(other.consume(relaxed_time_window(1s), {.lease = 3s}));
    w.append(0);
    auto const waits = w.begin(first.next_window());
    auto const next_holder = w.begin(second.next_window());
    // The write of the window hangs until somebody else has the lease, and then is refused.
    w.faulty->during_write = [&] { w.advance(5s); };
    w.advance(1s);
    BOOST_TEST(waits.what() == "");
    BOOST_TEST(!waits.done());
    w.advance(1s);
    BOOST_TEST(next_holder.ok());
}

BOOST_AUTO_TEST_CASE(release_hands_over_at_once) {
    rig w;
    for (int i = 0; i < 5; ++i) w.append(i);
    auto first = w.consume(count_window(10));
    auto const waits = w.begin(first.next_window());
    BOOST_TEST(!waits.done());
    first.stop(drain::release);
    w.settle();
    BOOST_REQUIRE(waits.ok());
    BOOST_TEST(!waits.value().has_value());
    BOOST_TEST(!w.group().held.held());
    BOOST_TEST(w.group().state.low == 0);
    auto second = w.consume(count_window(5));
    auto const all = w.begin(second.next_window());
    BOOST_REQUIRE(all.ok());
    BOOST_TEST(all.value()->size() == 5U);
    BOOST_TEST(all.value()->attempt() == 1);
    second.stop(drain::release);
    auto const end = w.begin(second.next_window());
    BOOST_TEST(!end.done());  // a window is still in hand, and may be committed
    w.finish(all.value()->commit());
    BOOST_REQUIRE(end.ok());
    BOOST_TEST(!end.value().has_value());
    BOOST_TEST(w.group().state.low == 5);
    BOOST_TEST(!w.group().held.held());
}

BOOST_AUTO_TEST_CASE(flush_delivers_the_remainder) {
    rig w;
    for (int i = 0; i < 12; ++i) w.append(i);
    auto windows = w.consume(count_window(5));
    auto held = w.begin(windows.next_window());
    windows.stop(drain::flush);
    std::vector<std::size_t> sizes;
    while (held.value()) {
        sizes.push_back(held.value()->size());
        w.finish(held.value()->commit());
        held = w.begin(windows.next_window());
        BOOST_REQUIRE(held.ok());
    }
    std::vector<std::size_t> const expected{5, 5, 2};
    BOOST_TEST(sizes == expected, boost::test_tools::per_element());
    BOOST_TEST(w.group().state.low == 12);
    BOOST_TEST(!w.group().held.held());
}

BOOST_AUTO_TEST_CASE(flush_loses_no_window_that_was_not_looked_at) {
    rig w;
    w.append(0);
    auto windows = w.consume(count_window(5));
    windows.stop(drain::flush);
    auto const first = w.begin(windows.next_window());
    BOOST_REQUIRE((first.ok() && first.value()));
    first.value().reset();  // as the loser of `next_window() || timer` does
    auto const again = w.begin(windows.next_window());
    BOOST_REQUIRE((again.ok() && again.value()));
    BOOST_TEST(again.value()->id() == "default/0/0-0");
    BOOST_TEST(again.value()->attempt() == 1);
    w.finish(again.value()->commit());
}

BOOST_AUTO_TEST_CASE(flush_ends_with_the_last_handle) {
    rig w;
    w.append(0);
    {
        auto windows = w.consume(count_window(5));
        windows.stop(drain::flush);
        w.settle();
        BOOST_TEST(w.group().held.held());  // the last window waits to be taken
    }
    w.settle();
    BOOST_TEST(!w.group().held.held());
}

BOOST_AUTO_TEST_CASE(no_window_is_handed_out_while_the_lease_is_given_back) {
    // Asks for a window after k steps of the stop, for every k.
    for (int steps = 0; steps < 40; ++steps) {
        BOOST_TEST_INFO_SCOPE("after " << steps << " steps");
        rig w;
        for (int i = 0; i < 3; ++i) w.append(i);
        auto windows = w.consume(count_window(1));
        auto const first = w.begin(windows.next_window());
        w.finish(first.value()->commit());
        windows.stop(drain::release);
        for (int i = 0; i < steps && w.step(); ++i) {
        }
        auto const asked = w.begin(windows.next_window());
        BOOST_REQUIRE(asked.ok());
        if (!asked.value()) continue;
        auto const commit = w.begin(asked.value()->commit());
        BOOST_TEST(commit.what() == "");
        BOOST_TEST(commit.ok());
    }
}

BOOST_AUTO_TEST_SUITE_END()
