#include <boost/test/unit_test.hpp>

#include "support/rig.hpp"

using namespace std::chrono_literals;
using namespace minibatch;
using namespace minibatch::test;

/// A store that fails for good while nothing happens: its file was removed.
BOOST_AUTO_TEST_SUITE(lost_store)

BOOST_AUTO_TEST_CASE(a_waiting_consumer_hears_of_it) {
    rig r;
    auto holder = r.consume(count_window(10));
    auto elsewhere = r.elsewhere();
    auto const waiting = r.begin(holder.next_window());
    BOOST_TEST(!waiting.done());
    r.faulty->fail_all(errc::not_a_database);
    r.advance(1s);
    BOOST_REQUIRE(waiting.done());
    BOOST_TEST((waiting.code() == errc::not_a_database), waiting.what());
    auto const again = r.begin(holder.next_window());
    BOOST_TEST((again.code() == errc::not_a_database), again.what());
    r.faulty->heal();
}

BOOST_AUTO_TEST_CASE(so_does_a_standby) {
    rig r;
    auto holder = r.consume(count_window(10));
    auto standby = r.consume(count_window(10));
    auto const waiting = r.begin(standby.next_window());
    r.faulty->fail_all(errc::not_a_database);
    r.advance(1s);
    BOOST_REQUIRE(waiting.done());
    BOOST_TEST((waiting.code() == errc::not_a_database), waiting.what());
    r.faulty->heal();
}

BOOST_AUTO_TEST_CASE(an_outage_does_not_end_a_wait_for_messages) {
    rig r;
    auto holder = r.consume(count_window(10));
    auto const waiting = r.begin(holder.next_window());
    r.faulty->fail_all(errc::unavailable, [](std::string_view call) { return call == "maintain"; });
    r.advance(10s);
    BOOST_TEST(!waiting.done());
    r.faulty->heal();
    r.append(1);
    for (int i = 0; i < 9; ++i) r.append(i);
    BOOST_TEST(waiting.done());
}

BOOST_AUTO_TEST_CASE(what_is_said_again_and_again_is_logged_at_growing_intervals) {
    rig r;
    r.faulty->fail_all(errc::unavailable, [](std::string_view call) { return call == "maintain"; });
    r.advance(10min);
    auto const said = std::count_if(r.logged->begin(), r.logged->end(),
                                    [](std::string const& line) { return line.find("housekeeping") != line.npos; });
    BOOST_TEST(said > 5);
    BOOST_TEST(said < 12);
    r.faulty->heal();
}

BOOST_AUTO_TEST_SUITE_END()
