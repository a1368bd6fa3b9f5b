#include "runtime/write_lane.hpp"

#include <boost/test/unit_test.hpp>

#include "runtime_support.hpp"

using namespace std::chrono_literals;
using namespace minibatch;
using namespace minibatch::test;
using runtime::queued_write;
using runtime::write_lane;

BOOST_AUTO_TEST_SUITE(write_lanes)

namespace {

store::group_id const group{{1, 0}, "g"};

queued_write commit() { return {store::commit_request{group, 1, {}, {}}, {}}; }
queued_write renewal() { return {store::renew_request{group, 1, 1s}, {}}; }

}  // namespace

BOOST_AUTO_TEST_CASE(what_arrives_while_a_batch_is_written_waits_for_the_next) {
    write_lane lane({}, false);
    BOOST_TEST(lane.at_rest());
    lane.push(queued(1));
    BOOST_TEST(lane.start());
    lane.push(queued(2));
    BOOST_TEST(!lane.start());
    auto batch = lane.next();
    BOOST_REQUIRE(batch);
    BOOST_TEST(batch->bytes() == 26U);
    lane.push(queued(3));
    BOOST_TEST(!lane.start());
    BOOST_TEST(lane.written());
    batch = lane.next();
    BOOST_REQUIRE(batch);
    BOOST_TEST(batch->bytes() == 13U);
    BOOST_TEST(!lane.at_rest());
    BOOST_TEST(!lane.written());
    BOOST_TEST(lane.at_rest());
}

BOOST_AUTO_TEST_CASE(a_lane_that_stays_needs_no_start) {
    write_lane lane({}, false);
    lane.push(queued(1));
    BOOST_TEST(lane.start());
    BOOST_TEST(lane.next() != nullptr);
    BOOST_TEST(!lane.written(true));
    BOOST_TEST(!lane.at_rest());
    BOOST_TEST(!lane.holds_data());
    lane.push(queued(2));
    BOOST_TEST(!lane.start());
    BOOST_TEST(lane.written());
    BOOST_TEST(lane.next() != nullptr);
    BOOST_TEST(!lane.written());
    BOOST_TEST(lane.at_rest());
}

BOOST_AUTO_TEST_CASE(a_lane_whose_only_append_is_cancelled_comes_to_rest) {
    write_lane lane({}, false);
    lane.push(queued(1));
    BOOST_TEST(lane.start());
    BOOST_TEST(lane.appends().cancel(1).has_value());
    BOOST_TEST(lane.next() == nullptr);
    BOOST_TEST(lane.at_rest());
}

BOOST_AUTO_TEST_CASE(a_full_segment_is_prepared_while_another_is_written) {
    write_lane lane({.full_segment_bytes = 26, .one_segment = true}, true);
    lane.push(queued(1));
    BOOST_TEST(!lane.start_preparing());  // nothing is being written that would take time
    BOOST_TEST(lane.start());
    BOOST_TEST(lane.next() != nullptr);
    lane.push(queued(2));
    BOOST_TEST(!lane.start_preparing());  // it may still grow
    lane.push(queued(3));
    BOOST_TEST(lane.start_preparing());
    BOOST_TEST(!lane.start_preparing());  // one at a time
    auto prepared = lane.take_to_prepare();
    BOOST_REQUIRE(prepared);
    BOOST_TEST(prepared->bytes() == 26U);
    auto const expected = prepared;
    lane.push(queued(4));

    BOOST_TEST(!lane.prepared(std::move(prepared)));
    BOOST_TEST(!lane.start_preparing());
    BOOST_TEST(lane.written());
    BOOST_TEST(lane.next() == expected);
    BOOST_TEST(lane.written());
    BOOST_TEST(lane.next()->bytes() == 13U);
    BOOST_TEST(!lane.written());
    BOOST_TEST(lane.at_rest());
}

BOOST_AUTO_TEST_CASE(writing_goes_on_with_what_is_being_prepared) {
    write_lane lane({.full_segment_bytes = 26, .one_segment = true}, true);
    lane.push(queued(1));
    BOOST_TEST(lane.start());
    BOOST_TEST(lane.next() != nullptr);
    lane.push(queued(2));
    lane.push(queued(3));
    BOOST_TEST(lane.start_preparing());
    auto prepared = lane.take_to_prepare();
    auto const expected = prepared;
    // The writer is done first. What comes later must not pass what is being prepared.
    BOOST_TEST(lane.written());
    lane.push(queued(4));
    BOOST_TEST(lane.next() == nullptr);
    BOOST_TEST(!lane.at_rest());
    BOOST_TEST(!lane.start());
    BOOST_TEST(lane.prepared(std::move(prepared)));
    BOOST_TEST(lane.next() == expected);
}

BOOST_AUTO_TEST_CASE(only_appends_and_commits_are_data) {
    write_lane lane({}, false);
    BOOST_TEST(!lane.holds_data());
    lane.push(renewal());
    BOOST_TEST(!lane.holds_data());
    BOOST_TEST(lane.start());
    BOOST_TEST(lane.next() != nullptr);
    BOOST_TEST(!lane.holds_data());
    lane.push(commit());
    BOOST_TEST(lane.holds_data());
    BOOST_TEST(lane.written());
    BOOST_TEST(lane.next() != nullptr);
    BOOST_TEST(lane.holds_data());  // it is being written
    BOOST_TEST(!lane.written());
    BOOST_TEST(!lane.holds_data());
    lane.push(queued(1));
    BOOST_TEST(lane.holds_data());
}

BOOST_AUTO_TEST_SUITE_END()
