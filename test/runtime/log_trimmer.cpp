#include <boost/test/unit_test.hpp>

#include "support/worker_parts.hpp"

using namespace std::chrono_literals;
using namespace minibatch;
using namespace minibatch::test;

BOOST_AUTO_TEST_SUITE(log_trimmers)

namespace {

/// Ten records, and progress that is stored as it is told.
struct trimming_parts : worker_parts {
    explicit trimming_parts(consumer_options options = {}) : worker_parts(count_window(2), options) {
        for (int i = 0; i < 10; ++i) append(1);
        habits.trim_records = 4;
        habits.trim_delay = 100ms;
    }
    void commit(std::int64_t low) {
        auto state = stored();
        state.low = state.low_number = low;
        write<minibatch::store::done>(minibatch::store::commit_request{group, 1, state, {}});
        runtime::write_list with;
        trimmer->committed(low, with);
        engine->writes->submit_all(std::move(with));
        settle();
    }
};

}  // namespace

BOOST_AUTO_TEST_CASE(many_records_at_once_few_after_a_while) {
    trimming_parts w;
    w.commit(3);
    BOOST_TEST(w.floor() == 0);
    w.commit(4);
    BOOST_TEST(w.floor() == 4);
    w.commit(5);
    BOOST_TEST(w.trimmer->owes(5));
    w.advance(99ms);
    BOOST_TEST(w.floor() == 4);
    w.advance(1ms);
    BOOST_TEST(w.floor() == 5);
    BOOST_TEST(!w.trimmer->owes(5));
}

BOOST_AUTO_TEST_CASE(groups_that_keep_remove_nothing) {
    trimming_parts w({.keep = true});
    w.commit(9);
    w.advance(1s);
    BOOST_TEST(w.floor() == 0);
    BOOST_TEST(!w.trimmer->owes(9));
}

BOOST_AUTO_TEST_CASE(nothing_is_removed_after_the_lease) {
    trimming_parts w;
    w.commit(3);
    w.trimmer->end();
    w.commit(9);
    w.advance(1s);
    BOOST_TEST(w.floor() == 0);
}

BOOST_AUTO_TEST_CASE(what_one_call_leaves_goes_in_the_next) {
    trimming_parts w;
    for (int i = 0; i < 590; ++i) w.append(1);
    w.commit(599);  // one call removes 256 records at most
    BOOST_TEST(w.floor() == 599);
}

BOOST_AUTO_TEST_SUITE_END()
