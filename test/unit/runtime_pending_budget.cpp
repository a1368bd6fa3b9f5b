#include "runtime/pending_budget.hpp"

#include <boost/test/unit_test.hpp>

#include "runtime_support.hpp"

using namespace std::chrono_literals;
using namespace minibatch;
using namespace minibatch::test;

BOOST_AUTO_TEST_SUITE(pending_budget)

BOOST_AUTO_TEST_CASE(admits_what_fits_and_keeps_the_rest_in_order) {
    runtime::pending_budget budget(30);
    BOOST_TEST(budget.admit(queued(1)).has_value());
    BOOST_TEST(budget.admit(queued(2)).has_value());
    BOOST_TEST(budget.used() == 26U);
    BOOST_TEST(!budget.admit(queued(3)).has_value());
    // Nobody overtakes, even if he would fit.
    BOOST_TEST(!budget.admit(queued(4, 0ms, 1)).has_value());
    BOOST_TEST(!budget.admit_next().has_value());
    budget.release(13);
    auto next = budget.admit_next();
    BOOST_REQUIRE(next.has_value());
    BOOST_TEST(next->id == 3U);
    next = budget.admit_next();
    BOOST_REQUIRE(next.has_value());
    BOOST_TEST(next->id == 4U);
    BOOST_TEST(budget.used() == 27U);
    BOOST_TEST(!budget.admit_next().has_value());
}

BOOST_AUTO_TEST_CASE(one_larger_than_the_limit_is_admitted_alone) {
    runtime::pending_budget budget(30);
    BOOST_TEST(budget.admit(queued(1)).has_value());
    BOOST_TEST(!budget.admit(queued(2, 0ms, 100)).has_value());
    BOOST_TEST(!budget.admit_next().has_value());
    budget.release(13);
    BOOST_TEST(budget.admit_next().has_value());
    BOOST_TEST(budget.used() == 100U);
    BOOST_TEST(!budget.admit(queued(3)).has_value());
}

BOOST_AUTO_TEST_CASE(one_that_gives_up_waiting_lets_the_next_in) {
    runtime::pending_budget budget(30);
    BOOST_TEST(budget.admit(queued(1)).has_value());
    BOOST_TEST(!budget.admit(queued(2, 1ms, 20)).has_value());
    BOOST_TEST(!budget.admit(queued(3, 2ms)).has_value());
    BOOST_TEST(!budget.admit_next().has_value());
    std::vector<runtime::queued_append> late;
    // It had no room, so none is given back.
    budget.waiting().expire(at(1ms), late);
    BOOST_TEST(late.size() == 1U);
    BOOST_TEST(budget.used() == 13U);
    auto const next = budget.admit_next();
    BOOST_REQUIRE(next.has_value());
    BOOST_TEST(next->id == 3U);
}

BOOST_AUTO_TEST_SUITE_END()
