#include <boost/test/unit_test.hpp>

#include "store/mongo/reached.hpp"

using namespace std::chrono_literals;
using minibatch::store::steady_time;
using minibatch::store::mongo::reached_numbers;

BOOST_AUTO_TEST_SUITE(mongo_reached)

BOOST_AUTO_TEST_CASE(records_wait_until_their_successor_has_been_known_for_ten_seconds) {
    steady_time const start{};
    reached_numbers reached;
    BOOST_TEST(reached.removable_below(start + 1h) == 0);
    reached.note(5, start);
    BOOST_TEST(reached.removable_below(start + 9'999ms) == 0);
    // The last record, number 4, has no successor that is known.
    BOOST_TEST(reached.removable_below(start + 10s) == 4);
    reached.note(50, start + 20s);
    BOOST_TEST(reached.removable_below(start + 29'999ms) == 4);
    BOOST_TEST(reached.removable_below(start + 30s) == 49);
}

BOOST_AUTO_TEST_CASE(one_note_a_second_is_kept_and_the_oldest_that_counts) {
    steady_time const start{};
    reached_numbers reached;
    for (int i = 0; i <= 100; ++i) reached.note(i + 1, start + i * 100ms);
    // At 15.5 s what was known at 5 s counts: the note of that second, number 51.
    BOOST_TEST(reached.removable_below(start + 15'500ms) == 50);
    BOOST_TEST(reached.removable_below(start + 1h) == 100);
    // What is older than the newest says nothing new.
    reached.note(3, start + 20s);
    BOOST_TEST(reached.removable_below(start + 2h) == 100);
}

BOOST_AUTO_TEST_SUITE_END()
