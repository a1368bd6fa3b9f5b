#include <boost/test/unit_test.hpp>

#include "support/rig.hpp"

using namespace std::chrono_literals;
using namespace minibatch;
using namespace minibatch::test;

/// What consumers do, and do not do, when they hear that something has changed.
BOOST_AUTO_TEST_SUITE(signals)

namespace {

/// A handle on a far database, and a stream on another handle, through which messages come.
struct two_handles : remote_rig {
    void foreign(std::int64_t value) {
        auto const document = reading(value);
        finish(other.append(document));
        advance(2ms);  // changes that come together are looked at together
    }
    stream other = elsewhere();
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_standby_asks_again_only_when_the_lease_has_changed) {
    two_handles w;
    auto holder = w.finish(w.other.consume(count_window(10)));
    w.settle();
    auto standby = w.consume(count_window(10));
    auto const waits = w.begin(standby.next_window());
    BOOST_TEST(w.remote->taken("acquire") == 1);
    for (int i = 0; i < 50; ++i) w.foreign(i);
    w.advance(4s);  // the lease is renewed
    BOOST_TEST(w.remote->taken("acquire") == 0);
    BOOST_TEST(w.remote->taken("read") == 0);
    holder.stop();
    w.settle();
    w.advance(2ms);
    BOOST_TEST(w.remote->taken("acquire") == 1);
    BOOST_TEST(w.group().held.epoch == 2);
    BOOST_TEST(waits.ok());
}

BOOST_AUTO_TEST_CASE(a_standby_hears_that_the_stream_is_gone) {
    two_handles w;
    auto holder = w.finish(w.other.consume(count_window(10)));
    w.settle();
    auto standby = w.consume(count_window(10));
    auto const waits = w.begin(standby.next_window());
    w.store->delete_stream("readings", w.log.incarnation, w.time->now());
    w.settle();
    w.advance(2ms);
    BOOST_TEST((waits.code() == errc::stream_deleted));
}

BOOST_AUTO_TEST_CASE(a_standby_of_the_same_handle_follows_at_once) {
    remote_rig w;
    auto first = w.consume(count_window(1));
    auto second = w.consume(count_window(1));
    w.advance(1s);
    BOOST_TEST(w.remote->taken("acquire") == 2);
    first.stop();
    w.settle();
    BOOST_TEST(w.group().held.epoch == 2);
    BOOST_TEST(w.group().held.held());
}

BOOST_AUTO_TEST_CASE(a_lease_given_back_after_an_error_is_taken_at_once) {
    struct helpless : window_emitter {
        readiness window_ready(std::span<message const>, time_point) override { throw std::runtime_error("no idea"); }
    };
    remote_rig w;
    w.append(0);
    auto first = w.consume(std::make_shared<helpless>());
    auto second = w.consume(count_window(1));
    auto const waits = w.begin(second.next_window());
    first.stop(drain::flush);
    w.settle();
    BOOST_TEST(w.group().held.epoch == 2);
    BOOST_TEST(waits.ok());
}

BOOST_AUTO_TEST_CASE(who_will_read_anyway_is_not_looked_at) {
    two_handles w;
    w.append(0);
    auto windows = w.consume(count_window(1));
    auto got = w.begin(windows.next_window());
    BOOST_REQUIRE(got.ok());
    w.remote->calls.clear();
    for (int i = 1; i <= 50; ++i) w.foreign(i);
    BOOST_TEST(w.remote->taken("inspect") == 1);
    BOOST_TEST(w.remote->taken("read") == 0);
    for (int i = 0; i <= 50; ++i) {
        BOOST_REQUIRE(got.ok());
        BOOST_TEST(values(*got.value()).at(0) == i);
        w.finish(got.value()->commit());
        got = w.begin(windows.next_window());
    }
    BOOST_TEST(!got.done());
    BOOST_TEST(w.remote->taken("read") == 1);
    w.foreign(51);
    BOOST_TEST(got.ok());
}

BOOST_AUTO_TEST_CASE(what_comes_during_a_read_is_not_overlooked) {
    two_handles w;
    auto windows = w.consume(count_window(2) || max_age(1h));
    auto const got = w.begin(windows.next_window());
    w.remote->after_read = [&] { w.foreign(1); };
    w.foreign(0);
    w.settle();
    BOOST_TEST(!w.remote->after_read);
    w.advance(2ms);
    BOOST_REQUIRE(got.ok());
    BOOST_TEST(values(*got.value()).size() == 2U);
}

BOOST_AUTO_TEST_SUITE_END()
