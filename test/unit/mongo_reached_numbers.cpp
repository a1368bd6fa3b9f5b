#include <boost/test/unit_test.hpp>

#include "store/mongo/log/reached_numbers.hpp"

using namespace std::chrono_literals;
using minibatch::store::steady_time;
using namespace minibatch::store::mongo;

BOOST_AUTO_TEST_SUITE(mongo_reached)

BOOST_AUTO_TEST_CASE(removable_ten_seconds_after_the_successor) {
    steady_time const start{};
    reached_numbers reached;
    BOOST_TEST(reached.removable_below({start + 1h}) == 0);
    reached.note(5, {start});
    BOOST_TEST(reached.removable_below({start + 9'999ms}) == 0);
    // The last record, number 4, has no successor that is known.
    BOOST_TEST(reached.removable_below({start + 10s}) == 4);
    reached.note(50, {start + 20s});
    BOOST_TEST(reached.removable_below({start + 29'999ms}) == 4);
    BOOST_TEST(reached.removable_below({start + 30s}) == 49);
}

BOOST_AUTO_TEST_CASE(keeps_one_note_a_second) {
    steady_time const start{};
    reached_numbers reached;
    for (int i = 0; i <= 100; ++i) reached.note(i + 1, {start + i * 100ms});
    BOOST_TEST(reached.ripe_below(start + 15'500ms) == 50);
    // At 15.5 s what was known at 5 s counts: the note of that second, number 51.
    BOOST_TEST(reached.removable_below({start + 15'500ms}) == 50);
    BOOST_TEST(reached.removable_below({start + 1h}) == 100);
    // What is older than the newest says nothing new.
    reached.note(3, {start + 20s});
    BOOST_TEST(reached.removable_below({start + 2h}) == 100);
}

BOOST_AUTO_TEST_CASE(waits_for_the_time_of_the_server) {
    steady_time const start{};
    reached_numbers reached;
    reached.note(5, {start, cluster_time{100, 7}});
    // Its clock was set back: operation times stand still until it has caught up.
    BOOST_TEST(reached.ripe_below(start + 1h) == 4);
    BOOST_TEST(reached.removable_below({start + 1h, cluster_time{100, 9}}) == 0);
    BOOST_TEST(reached.removable_below({start + 1h, cluster_time{109, 1}}) == 0);
    BOOST_TEST(reached.removable_below({start + 1h, std::nullopt}) == 0);
    BOOST_TEST(reached.removable_below({start + 1h, cluster_time{110, 1}}) == 4);
}

BOOST_AUTO_TEST_CASE(judges_lateness_by_the_time_of_the_server) {
    route const first{1, 3, 4};
    answer_origin const before{cluster_time{100, 7}, first};
    BOOST_TEST(given_within(before, {cluster_time{100, 8}, first}, 5s));
    BOOST_TEST(given_within(before, {cluster_time{104, 1}, {1, 4, 9}}, 5s));
    BOOST_TEST(!given_within(before, {cluster_time{105, 1}, first}, 5s));
    BOOST_TEST(!given_within(before, {cluster_time{99, 1}, first}, 5s), "the time went back");
    BOOST_TEST(!given_within(before, {cluster_time{100, 8}, {1, 5, 5}}, 5s), "a reconnection");
    BOOST_TEST(!given_within(before, {cluster_time{100, 8}, {2, 3, 4}}, 5s), "another server");
    BOOST_TEST(!given_within(before, {cluster_time{100, 8}, {}}, 5s), "an unknown connection");
    BOOST_TEST(!given_within(before, {std::nullopt, first}, 5s), "a standalone server");
    BOOST_TEST(!given_within({std::nullopt, first}, {cluster_time{100, 8}, first}, 5s));
}

BOOST_AUTO_TEST_SUITE_END()
