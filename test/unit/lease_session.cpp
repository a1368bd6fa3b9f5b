#include "runtime/lease_session.hpp"

#include <boost/test/unit_test.hpp>

using namespace std::chrono_literals;
using minibatch::runtime::lease_session;
using minibatch::runtime::steady_time;

BOOST_AUTO_TEST_SUITE(lease_sessions)

BOOST_AUTO_TEST_CASE(counts_from_when_it_was_asked_for) {
    steady_time const start{1h};
    lease_session lease({{1, 0}, "g"}, 5, 10s, start);
    BOOST_TEST(lease.epoch() == 5);
    BOOST_TEST(lease.valid(start + 9'999ms));
    BOOST_TEST(!lease.valid(start + 10s));
    lease.renewed(start + 3s);
    lease.renewed(start + 1s);  // an answer that was overtaken
    BOOST_TEST(lease.valid(start + 12'999ms));
    BOOST_TEST(!lease.valid(start + 13s));
    BOOST_TEST(!lease.over());  // it may still be renewed
    BOOST_REQUIRE(lease.renewal().has_value());
    BOOST_TEST(lease.renewal()->epoch == 5);
    BOOST_TEST(lease.renewal()->duration.count() == 10'000);
    lease.end();
    BOOST_TEST(lease.over());
    BOOST_TEST(!lease.valid(start));
    BOOST_TEST(!lease.renewal().has_value());
    BOOST_TEST(lease.release().epoch == 5);
}

BOOST_AUTO_TEST_SUITE_END()
