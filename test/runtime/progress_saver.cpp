#include <boost/test/unit_test.hpp>

#include "support/worker_parts.hpp"

using namespace std::chrono_literals;
using namespace minibatch;
using namespace minibatch::test;

BOOST_AUTO_TEST_SUITE(progress_savers)

BOOST_AUTO_TEST_CASE(what_comes_during_a_save_is_one_more) {
    worker_parts w;
    w.append(10);
    std::vector<runtime::window_ptr> windows;
    std::vector<worker_parts::outcome> ends(5);
    for (int i = 0; i < 5; ++i) windows.push_back(w.deliver(2 * i, 2 * i + 2));
    w.remote->taken("commit");
    for (std::size_t i = 0; i < 5; ++i) w.windows->commit(windows[i], 1, ends[i].call());
    BOOST_TEST(w.saver->busy());
    w.settle();
    BOOST_TEST(!w.saver->busy());
    BOOST_TEST(w.remote->taken("commit") == 2);  // the first, and all that came meanwhile
    for (auto const& end : ends) BOOST_TEST(*end.text == "done");
    BOOST_TEST(w.stored().low == 10);
}

BOOST_AUTO_TEST_CASE(what_is_in_doubt_is_saved_again_until_it_is_known) {
    worker_parts w;
    w.append(2);
    worker_parts::outcome end;
    auto const window = w.deliver(0, 2);
    w.faulty->fail_call(1, errc::outcome_unknown, failing_store::way::answer_lost, 2);
    w.windows->commit(window, 1, end.call());
    w.settle();
    BOOST_TEST(*end.text == make_error_code(errc::outcome_unknown).message());
    BOOST_TEST(w.windows->size() == 1U);
    w.advance(1s);
    BOOST_TEST(w.windows->size() == 0U);
    BOOST_TEST(window->committed);
    BOOST_TEST(w.stored().low == 2);
}

BOOST_AUTO_TEST_CASE(save_that_failed_opens_the_window_again) {
    worker_parts w;
    w.append(2);
    worker_parts::outcome end;
    auto const window = w.deliver(0, 2);
    w.faulty->fail_call(1, errc::unavailable);
    w.windows->commit(window, 1, end.call());
    w.settle();
    BOOST_TEST(*end.text == make_error_code(errc::unavailable).message());
    BOOST_TEST((window->now == runtime::window_record::state::delivered));
    BOOST_TEST(w.stored().low == 0);
    worker_parts::outcome again;
    w.windows->commit(window, 1, again.call());
    w.settle();
    BOOST_TEST(*again.text == "done");
}

BOOST_AUTO_TEST_CASE(another_holder_ends_it) {
    worker_parts w;
    w.append(4);
    auto const window = w.deliver(0, 2);
    auto const other = w.deliver(2, 4);
    w.write<minibatch::store::acquire_result>(
        minibatch::store::acquire_request{w.group, "other", "other", 10s, w.granted.held});
    worker_parts::outcome end;
    worker_parts::outcome told;
    w.windows->commit(window, 1, end.call());
    w.saver->tell(told.call());
    w.settle();
    BOOST_TEST(w.was_fenced);
    BOOST_TEST(*end.text == make_error_code(errc::fenced).message());
    BOOST_TEST(*told.text == make_error_code(errc::fenced).message());
    BOOST_TEST((other->now == runtime::window_record::state::closed));
    w.remote->taken("commit");
    w.saver->save();
    w.settle();
    BOOST_TEST(w.remote->taken("commit") == 0);
}

BOOST_AUTO_TEST_CASE(save_that_outlives_the_lease_still_tells_its_end) {
    worker_parts w;
    w.append(2);
    worker_parts::outcome end;
    auto const window = w.deliver(0, 2);
    w.faulty->during_write = [&] {
        w.lease->end();
        w.windows->close_all("the lease is gone");
        w.saver->end("the lease is gone");
        w.saver.reset();
        BOOST_TEST(*end.text == "waits");
    };
    w.windows->commit(window, 1, end.call());
    w.settle();
    BOOST_TEST(*end.text == "done");
    BOOST_TEST(w.stored().low == 2);
}

BOOST_AUTO_TEST_CASE(saved_throws_the_error_of_its_save) {
    worker_parts w;
    w.finish(w.saver->saved());
    w.faulty->fail_call(1, errc::unavailable);
    auto const failed = w.start(w.saver->saved());
    w.settle();
    BOOST_TEST((failed.code() == errc::unavailable));
    w.saver->end("the lease is gone");
    auto const late = w.start(w.saver->saved());
    w.settle();
    BOOST_TEST((late.code() == errc::fenced));
}

BOOST_AUTO_TEST_SUITE_END()
