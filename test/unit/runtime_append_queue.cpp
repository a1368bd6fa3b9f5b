#include <boost/test/unit_test.hpp>

#include "runtime_support.hpp"

using namespace std::chrono_literals;
using namespace minibatch;
using namespace minibatch::test;

BOOST_AUTO_TEST_SUITE(append_queue)

namespace {

using tickets = std::vector<runtime::append_ticket>;

tickets ids(auto const& items) {
    tickets found;
    for (auto const& item : items) found.push_back(item.id);
    return found;
}

/// Appends of one document of 11 bytes each, which is 13 bytes of a segment.
runtime::append_queue queue_of(std::size_t count) {
    runtime::append_queue queue;
    for (std::size_t i = 1; i <= count; ++i) queue.push(queued(i, milliseconds(i)));
    return queue;
}

}  // namespace

BOOST_AUTO_TEST_CASE(takes_everything_up_to_the_size_of_a_transaction) {
    auto queue = queue_of(5);
    BOOST_TEST(queue.bytes() == 65U);
    tickets const all{1, 2, 3, 4, 5};
    BOOST_TEST(ids(queue.take({.max_bytes = 65})) == all, boost::test_tools::per_element());
    BOOST_TEST(queue.empty());
    BOOST_TEST(queue.bytes() == 0U);

    queue = queue_of(5);
    tickets const first{1, 2, 3};
    tickets const rest{4, 5};
    BOOST_TEST(ids(queue.take({.max_bytes = 30})) == first, boost::test_tools::per_element());
    BOOST_TEST(queue.bytes() == 26U);
    BOOST_TEST(ids(queue.take({.max_bytes = 30})) == rest, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(takes_one_full_segment_where_the_next_is_prepared_meanwhile) {
    auto queue = queue_of(3);
    runtime::batch_limits const limits{.full_segment_bytes = 26, .one_segment = true};
    tickets const full{1, 2};
    tickets const rest{3};
    BOOST_TEST(ids(queue.take(limits)) == full, boost::test_tools::per_element());
    // One that is a full segment by itself is neither joined to those before it nor to those behind it.
    queue.push(queued(4, 4ms, 30));
    queue.push(queued(5, 5ms));
    tickets const large{4};
    tickets const last{5};
    BOOST_TEST(ids(queue.take(limits)) == rest, boost::test_tools::per_element());
    BOOST_TEST(ids(queue.take(limits)) == large, boost::test_tools::per_element());
    BOOST_TEST(ids(queue.take(limits)) == last, boost::test_tools::per_element());
    BOOST_TEST(queue.take(limits).empty());
}

BOOST_AUTO_TEST_CASE(a_cancelled_append_leaves_the_others_in_order) {
    auto queue = queue_of(3);
    auto const taken = queue.cancel(2);
    BOOST_REQUIRE(taken.has_value());
    BOOST_TEST(taken->id == 2U);
    BOOST_TEST(!queue.cancel(2).has_value());
    BOOST_TEST(queue.bytes() == 26U);
    tickets const rest{1, 3};
    BOOST_TEST(ids(queue.take({})) == rest, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(those_whose_deadline_has_passed_are_removed) {
    auto queue = queue_of(3);
    std::vector<runtime::queued_append> late;
    BOOST_TEST(queue.expire(at(0ms), late) == 0U);
    BOOST_TEST(late.empty());
    BOOST_TEST((queue.first_deadline() == at(1ms)));
    BOOST_TEST(queue.expire(at(2ms), late) == 26U);
    tickets const expected{1, 2};
    BOOST_TEST(ids(late) == expected, boost::test_tools::per_element());
    BOOST_TEST((queue.first_deadline() == at(3ms)));
    BOOST_TEST(queue.expire(at(3ms), late) == 13U);
    BOOST_TEST(!queue.first_deadline().has_value());
}

BOOST_AUTO_TEST_SUITE_END()
