#include <boost/test/unit_test.hpp>

#include "support/rig.hpp"

using namespace std::chrono_literals;
using namespace minibatch;
using namespace minibatch::test;

BOOST_AUTO_TEST_SUITE(info)

BOOST_AUTO_TEST_CASE(lag_and_lost_after_retention_has_passed_a_gap) {
    rig w({.max_messages = 40});
    auto windows = w.consume(count_window(10), {.keep = true, .max_in_flight = 2});
    for (int i = 0; i < 20; ++i) w.append(i);
    auto const first = w.begin(windows.next_window());
    auto const second = w.begin(windows.next_window());
    BOOST_REQUIRE((first.ok() && second.ok()));
    w.finish(second.value()->commit());
    for (int i = 20; i < 100; ++i) w.append(i);
    w.advance(1s);  // retention removes the oldest 60
    for (auto const when : {"before the consumer has noticed", "afterwards"}) {
        BOOST_TEST_CONTEXT(when) {
            auto const info = w.finish(w.readings.info());
            BOOST_TEST(info.messages == 40);
            BOOST_TEST(info.groups.at(0).lag == 40);
            BOOST_TEST(info.groups.at(0).lost == 50);
        }
        w.advance(1s);
    }
}

BOOST_AUTO_TEST_SUITE_END()
