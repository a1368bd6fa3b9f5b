#include "runtime/deadline_watch.hpp"

#include <boost/test/unit_test.hpp>

#include "support/virtual_time.hpp"

using namespace std::chrono_literals;
using namespace minibatch;

BOOST_AUTO_TEST_SUITE(deadline_watches)

BOOST_AUTO_TEST_CASE(one_timer_for_the_first_deadline) {
    boost::asio::io_context context;
    auto const time = std::make_shared<test::virtual_time>(context);
    int fired = 0;
    runtime::deadline_watch watch(time, [&] { ++fired; });
    auto const start = time->now();
    watch.arm(start + 5ms);
    watch.arm(start + 7ms);
    time->move_to(start + 5ms);
    context.poll();
    BOOST_TEST(fired == 0);  // not before it has passed
    time->move_to(start + 6ms);
    context.restart();
    context.poll();
    BOOST_TEST(fired == 1);
    BOOST_TEST(!time->next().has_value());
    watch.disarm();
    watch.arm(start + 7ms);
    BOOST_TEST(time->next().has_value());
}

BOOST_AUTO_TEST_SUITE_END()
