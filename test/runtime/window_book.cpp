#include <boost/test/unit_test.hpp>

#include "support/worker_parts.hpp"

using namespace std::chrono_literals;
using namespace minibatch;
using namespace minibatch::test;
using window_state = runtime::window_record::state;

BOOST_AUTO_TEST_SUITE(window_books)

namespace {

std::string text_of(errc code) { return make_error_code(code).message(); }

}  // namespace

BOOST_AUTO_TEST_CASE(commits) {
    worker_parts w;
    w.append(4);
    auto const window = w.deliver(0, 2);
    worker_parts::outcome first;
    worker_parts::outcome again;
    worker_parts::outcome stale;
    w.windows->commit(window, 0, stale.call());  // of a delivery that was given back
    w.windows->commit(window, 1, first.call());
    w.windows->commit(window, 1, again.call());  // while the first is under way
    w.settle();
    BOOST_TEST(*stale.text == text_of(errc::window_closed));
    BOOST_TEST(*first.text == "done");
    BOOST_TEST(*again.text == "done");
    BOOST_TEST(w.windows->size() == 0U);
    worker_parts::outcome late;
    w.windows->commit(window, 1, late.call());
    BOOST_TEST(*late.text == text_of(errc::window_closed));
}

BOOST_AUTO_TEST_CASE(failures_are_counted_and_delivered_again) {
    worker_parts w;
    w.append(2);
    auto const window = w.deliver(0, 2);
    worker_parts::outcome end;
    BOOST_TEST(w.windows->attempt(*window) == 1);
    w.windows->fail(window, 1, "on purpose", 500ms, end.call());
    w.settle();
    BOOST_TEST(*end.text == "done");
    BOOST_TEST(w.windows->attempt(*window) == 2);
    BOOST_TEST(w.stored().failures.at(0).count == 1);
    std::optional<runtime::steady_time> next;
    w.windows->redeliver_due(next);
    BOOST_TEST((next == w.time->now() + 500ms));
    BOOST_TEST((window->now == window_state::waiting));
    w.advance(500ms);
    next.reset();
    w.windows->redeliver_due(next);
    BOOST_TEST(!next.has_value());
    BOOST_TEST((window->now == window_state::ready));
    worker_parts::outcome twice;
    w.windows->fail(window, 1, "again", {}, twice.call());
    BOOST_TEST(*twice.text == text_of(errc::window_closed));
}

BOOST_AUTO_TEST_CASE(what_is_let_go) {
    struct row {
        char const* what;
        std::optional<drain> stopping;
        bool looked_at;
        window_state expected;
        int attempt;
    };
    for (auto const& each : {row{"not looked at: to the front again", {}, false, window_state::ready, 1},
                             row{"looked at: a failure", {}, true, window_state::waiting, 2},
                             row{"not looked at, stopped", drain::release, false, window_state::closed, 1},
                             row{"not looked at, flushed", drain::flush, false, window_state::ready, 1}}) {
        BOOST_TEST_CONTEXT(each.what) {
            worker_parts w;
            w.append(2);
            auto const window = w.deliver(0, 2);
            BOOST_TEST(w.windows->in_use());
            w.member->stopping = each.stopping;
            w.windows->returned(window, 0, true);  // an earlier delivery
            BOOST_TEST((window->now == window_state::delivered));
            w.windows->returned(window, 1, each.looked_at);
            BOOST_TEST((window->now == each.expected));
            if (each.expected != window_state::closed) BOOST_TEST(w.windows->attempt(*window) == each.attempt);
            BOOST_TEST(w.windows->in_use() == (each.stopping == drain::flush));
            w.member->stopping.reset();
            w.settle();
        }
    }
}

BOOST_AUTO_TEST_CASE(let_go_during_its_commit) {
    for (bool const fails : {false, true}) {
        worker_parts w;
        w.append(2);
        auto const window = w.deliver(0, 2);
        worker_parts::outcome end;
        if (fails) w.faulty->fail_call(1, errc::unavailable);
        w.windows->commit(window, 1, end.call());
        w.windows->returned(window, 1, true);
        BOOST_TEST((window->now == window_state::abandoned));
        BOOST_TEST(w.windows->in_use());
        w.settle();
        BOOST_TEST((window->now == (fails ? window_state::waiting : window_state::closed)));
    }
}

BOOST_AUTO_TEST_CASE(end_of_the_lease) {
    worker_parts w;
    w.append(2);
    auto const window = w.deliver(0, 2);
    w.lease->end();
    w.windows->close_all("on purpose");
    BOOST_TEST((window->now == window_state::closed));
    BOOST_TEST(window->settled);
    worker_parts::outcome commit;
    worker_parts::outcome failure;
    w.windows->commit(window, 1, commit.call());
    w.windows->fail(window, 1, "reason", {}, failure.call());
    BOOST_TEST(*commit.text == text_of(errc::fenced));
    BOOST_TEST(*failure.text == text_of(errc::fenced));
    window->in_doubt = true;
    worker_parts::outcome in_doubt;
    runtime::window_book::refuse_commit(*window, in_doubt.call());
    BOOST_TEST(*in_doubt.text == text_of(errc::outcome_unknown));
}

BOOST_AUTO_TEST_SUITE_END()
