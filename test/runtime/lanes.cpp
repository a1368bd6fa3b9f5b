#include <boost/test/unit_test.hpp>

#include "runtime/write_queue.hpp"
#include "support/rig.hpp"

using namespace std::chrono_literals;
using namespace minibatch;
using namespace minibatch::test;

BOOST_AUTO_TEST_SUITE(lanes)

namespace {

using names = std::vector<std::string>;

/// A queue of its own on a far database, and what it has done in which order.
struct queue_rig : remote_rig {
    /// `full_segment` bytes, if not 0: segments of that size are prepared ahead.
    explicit queue_rig(std::size_t full_segment = 0) : remote_rig({.partitions = 20}) {
        if (full_segment > 0) {
            remote->habits.prepares = true;
            remote->habits.full_segment_bytes = full_segment;
        }
        runtime::environment env;
        env.loop = env.workers = context.get_executor();
        env.time = time;
        env.database = remote;
        queue = std::make_shared<runtime::write_queue>(env, newest, max_pending_bytes);
        for (int i = 0; i < 2; ++i) {
            groups.push_back({log, "g" + std::to_string(i)});
            store->register_group(groups.back(), store::start_position::earliest, false, time->now());
            submit(store::acquire_request{groups.back(), "me", "a", 3s, {}}, "acquire");
        }
        settle();
        done.clear();
    }
    void submit(store::write_request request, std::string const& what) {
        queue->submit(std::move(request), [this, what](store::write_result const& outcome) {
            BOOST_TEST(!std::holds_alternative<error>(outcome), what);
            done.push_back(what);
        });
    }
    runtime::write_queue::ticket append(std::string const& what, int partition = 0) {
        log::segment_text text;
        text.add(R"({"value":1})");
        auto const ticket = queue->new_ticket();
        queue->append(
            {log.incarnation, partition}, std::move(text),
            [this, what](std::optional<error> const& problem, std::int64_t, std::string_view) {
                BOOST_TEST(!problem, what);
                done.push_back(what);
            },
            ticket);
        return ticket;
    }
    void commit(std::string const& what) {
        store::commit_request request{groups[0], 1, {}, {}};
        request.state.lost = ++commits;
        submit(request, what);
    }

    runtime::tail newest;
    std::shared_ptr<runtime::write_queue> queue;
    std::vector<store::group_id> groups;
    std::int64_t commits = 0;
    names done;
};

}  // namespace

BOOST_AUTO_TEST_CASE(an_append_that_hangs_holds_up_no_other_lane) {
    queue_rig w;
    bool hung = false;
    w.remote->during_write = [&](std::string const& kind) {
        if (kind != "append" || std::exchange(hung, true)) return;
        w.append("second append");
        w.submit(store::seal_request{w.log, w.now()}, "seal");
        w.append("other log", 1);
        w.commit("commit");
        w.submit(store::renew_request{w.groups[0], 1, 3s}, "renewal");
        w.submit(store::trim_request{w.log}, "trim");
        w.settle();
        std::ranges::sort(w.done);
        names const expected{"commit", "other log", "renewal", "trim"};
        BOOST_TEST(w.done == expected, boost::test_tools::per_element());
        w.done.clear();
    };
    w.append("first append");
    w.settle();
    names const expected{"first append", "second append", "seal"};
    BOOST_TEST(w.done == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_next_full_segment_is_prepared_while_one_is_written) {
    queue_rig w(24);  // two documents
    std::vector<int> prepared;
    int writes = 0;
    w.remote->during_write = [&](std::string const&) {
        if (++writes != 1) return;
        w.append("b");
        w.settle();
        prepared.push_back(w.remote->prepared);  // it may still grow
        w.append("c");
        w.settle();
        prepared.push_back(w.remote->prepared);
        auto const late = w.append("too late");
        w.append("d");
        w.append("e");
        w.settle();
        prepared.push_back(w.remote->prepared);  // one ahead, no more
        BOOST_TEST(w.queue->cancel(late));
        BOOST_TEST(w.queue->owes());
        w.submit(store::seal_request{w.log, w.now()}, "seal");
    };
    w.append("a");
    w.settle();
    std::vector<int> const one_ahead{0, 1, 1};
    BOOST_TEST(prepared == one_ahead, boost::test_tools::per_element());
    names const expected{"a", "b", "c", "d", "e", "seal"};
    BOOST_TEST(w.done == expected, boost::test_tools::per_element());
    BOOST_TEST(w.store->state(w.log, w.time->now()).end.offset == 5);
    BOOST_TEST(!w.queue->owes());
    BOOST_TEST(w.queue->lanes() == 0U);
}

BOOST_AUTO_TEST_CASE(what_is_asked_of_one_group_stays_in_order) {
    queue_rig w;
    bool hung = false;
    w.remote->during_write = [&](std::string const& kind) {
        if (kind != "commit" || std::exchange(hung, true)) return;
        w.commit("second commit");
        w.submit(store::release_request{w.groups[0], 1}, "release");
        w.submit(store::acquire_request{w.groups[0], "me", "b", 3s, {}}, "acquisition");
        w.submit(store::release_request{w.groups[1], 1}, "release of another group");
        w.settle();
        names const expected{"release of another group"};
        BOOST_TEST(w.done == expected, boost::test_tools::per_element());
        w.done.clear();
    };
    w.commit("commit");
    w.settle();
    names const expected{"commit", "second commit", "release", "acquisition"};
    BOOST_TEST(w.done == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(lanes_that_rest_are_forgotten) {
    queue_rig w;
    BOOST_TEST(w.queue->lanes() == 0U);
    std::size_t most = 0;
    w.remote->during_write = [&](std::string const&) { most = std::max(most, w.queue->lanes()); };
    for (int i = 0; i < 20; ++i) w.append("append", i);
    w.commit("commit");
    w.submit(store::renew_request{w.groups[0], 1, 3s}, "renewal");
    w.settle();
    BOOST_TEST(most == 22U);
    BOOST_TEST(w.done.size() == 22U);
    BOOST_TEST(w.queue->lanes() == 1U);
    BOOST_TEST(!w.queue->owes());
}

BOOST_AUTO_TEST_CASE(a_hundred_waiting_consumers_cost_one_renewal) {
    remote_rig w;
    std::vector<consumer> consumers;
    std::vector<next> waits;
    for (int i = 0; i < 100; ++i) {
        auto const name = "s" + std::to_string(i);
        auto stream = w.finish(stream::get_or_create(w.db, name));
        consumers.push_back(w.finish(stream.consume(count_window(10) || max_age(1s), {.lease = 3s})));
        waits.push_back(w.begin(consumers.back().next_window()));
    }
    w.advance(10ms);
    for (int period = 0; period < 5; ++period) {
        w.remote->calls.clear();
        w.remote->jobs_of.clear();
        w.advance(1s);
        BOOST_TEST(w.remote->jobs_of["renew"] == 100);
        BOOST_TEST(w.remote->taken("renew") == 1);
        BOOST_TEST(w.remote->taken_in_all() == 0);
    }
    for (auto const& each : waits) each.cancel();
    w.settle();
}

BOOST_AUTO_TEST_CASE(trimming_waits_for_the_commit_that_it_counts_on) {
    remote_rig w;
    w.remote->habits.trim_records = 1;
    for (int i = 0; i < 5; ++i) w.append(i);
    auto windows = w.consume(count_window(1));
    for (int i = 0; i < 4; ++i) {
        auto const got = w.begin(windows.next_window());
        BOOST_REQUIRE(got.ok());
        w.remote->during_write = [&](std::string const& kind) {
            if (kind != "commit") return;
            w.settle();  // what is queued along with the commit would be written now
            BOOST_TEST(w.store->state(w.log, w.time->now()).floor.offset == i);
        };
        w.finish(got.value()->commit());
        w.settle();
        BOOST_TEST(w.store->state(w.log, w.time->now()).floor.offset == i + 1);
    }
    BOOST_TEST(w.remote->taken("trim") == 4);
    w.remote->during_write = nullptr;
}

BOOST_AUTO_TEST_CASE(little_is_trimmed_later_or_at_the_end) {
    remote_rig w;
    for (int i = 0; i < 5; ++i) w.append(i);
    auto windows = w.consume(count_window(1));
    auto const floor = [&] { return w.store->state(w.log, w.time->now()).floor.offset; };
    auto const work = [&] {
        auto const got = w.begin(windows.next_window());
        w.finish(got.value()->commit());
    };
    work();
    work();
    w.advance(59s);
    BOOST_TEST(floor() == 0);
    w.advance(1s);
    BOOST_TEST(floor() == 2);
    work();
    windows.stop();
    w.settle();
    BOOST_TEST(floor() == 3);
    BOOST_TEST(w.remote->taken("trim") == 2);
}

// Renewals and the rest of a group are not in order: the answer to one may come when the lease is a new one.
BOOST_AUTO_TEST_CASE(a_late_renewal_does_not_touch_the_next_lease) {
    remote_rig w;
    auto windows = w.consume(count_window(1), {.lease = 3s});
    auto other = w.elsewhere();
    auto standby = w.finish(other.consume(count_window(1), {.lease = 3s}));
    bool hung = false;
    w.remote->during_write = [&](std::string const& kind) {
        if (kind != "renew" || std::exchange(hung, true)) return;
        w.advance(4s);
        BOOST_TEST(w.group().held.epoch == 2);
        standby.stop();
        w.advance(1s);
        BOOST_TEST(w.group().held.epoch == 3);
    };
    w.advance(10s);
    BOOST_TEST(hung);
    BOOST_TEST(w.group().held.epoch == 3);
    BOOST_TEST(w.group().held.held());
}

BOOST_AUTO_TEST_SUITE_END()
