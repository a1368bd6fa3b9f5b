#include "runtime/arrival_wait.hpp"

#include <boost/test/unit_test.hpp>
#include <thread>

#include "runtime_support.hpp"

using namespace std::chrono_literals;
using namespace minibatch::test;
using minibatch::runtime::arrival_wait;

BOOST_AUTO_TEST_SUITE(arrival_waits)

BOOST_AUTO_TEST_CASE(it_is_worthwhile_while_writes_follow_closely) {
    arrival_wait next(2000us);
    BOOST_TEST(!next.worthwhile());
    next.arrived(at(1ms));
    BOOST_TEST(!next.worthwhile());
    next.sleeps(at(10ms));
    next.arrived(at(13ms));  // too late: it would have been waited for in vain
    BOOST_TEST(!next.worthwhile());
    next.sleeps(at(20ms));
    next.arrived(at(22ms));
    BOOST_TEST(next.worthwhile());
    next.arrived(at(40ms));  // the worker is awake
    BOOST_TEST(next.worthwhile());
    next.sleeps(at(50ms));
    BOOST_TEST(!next.worthwhile());
}

BOOST_AUTO_TEST_CASE(zero_turns_it_off) {
    arrival_wait next(0us);
    next.sleeps(at(1ms));
    next.arrived(at(1ms));
    BOOST_TEST(!next.worthwhile());
}

BOOST_AUTO_TEST_CASE(waiting_ends_with_an_arrival_or_after_a_while) {
    arrival_wait next(50us);
    auto const before = next.count();
    BOOST_TEST(!next.wait(before));
    next.arrived(at(0ms));
    BOOST_TEST(next.wait(before));
    arrival_wait patient(60s);
    auto const seen = patient.count();
    std::thread other([&] { patient.arrived(at(0ms)); });
    BOOST_TEST(patient.wait(seen));
    other.join();
}

BOOST_AUTO_TEST_SUITE_END()
