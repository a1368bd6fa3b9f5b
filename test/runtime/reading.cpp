#include <boost/test/unit_test.hpp>

#include "support/rig.hpp"

using namespace std::chrono_literals;
using namespace minibatch;
using namespace minibatch::test;

/// When consumers read, and when they leave it.
BOOST_AUTO_TEST_SUITE(late_reading)

namespace {

/// A far database whose messages come from elsewhere, in segments of a certain size.
struct far_rig : remote_rig {
    explicit far_rig(int messages = 1, std::size_t bytes = 20) : segment(messages) {
        log::segment_text made;
        auto const document = R"({"text":")" + std::string(bytes, 'x') + R"("})";
        for (int i = 0; i < messages; ++i) made.add(document);
        text = std::make_shared<std::string const>(made.finish());
        elsewhere_store = memory(name);
    }
    /// So many segments, and time for the signals of each.
    void foreign(int segments = 1, milliseconds pause = 2ms) {
        for (int i = 0; i < segments; ++i) {
            minibatch::store::append_request request{log, "", segment, text};
            minibatch::store::write_job job{std::move(request), {}};
            elsewhere_store->write({&job, 1}, time->now());
            BOOST_REQUIRE(std::holds_alternative<minibatch::store::append_result>(job.result));
            if (pause > 0ms) advance(pause);
        }
    }
    /// What comes from now on is not seen in inspections.
    void lie() {
        auto const end = store->state(log, time->now()).end;
        remote->falsify = [end](minibatch::store::inspection& found) {
            for (auto& each : found.ends) each = end;
        };
    }
    int reads() const { return remote->taken("read"); }
    std::size_t take(consumer& from) {
        auto const got = begin(from.next_window());
        BOOST_REQUIRE(got.ok());
        BOOST_REQUIRE(got.value().has_value());
        auto const size = got.value()->size();
        finish(got.value()->commit());
        return size;
    }

    int const segment;
    std::shared_ptr<std::string const> text;
    std::shared_ptr<minibatch::store::store> elsewhere_store;
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_window_costs_one_read_and_one_commit) {
    for (int const size : {10, 1'000}) {
        far_rig w(10);
        auto windows = w.consume(count_window(size));
        w.advance(2ms);
        w.remote->calls.clear();
        int trims = 0;
        for (int i = 0; i < 20; ++i) {
            auto const got = w.begin(windows.next_window());
            w.foreign(size / 10);
            BOOST_REQUIRE(got.ok());
            BOOST_TEST(got.value()->size() == static_cast<std::size_t>(size));
            w.finish(got.value()->commit());
            BOOST_TEST(w.reads() == 1);
            BOOST_TEST(w.remote->taken("commit") == 1);
            w.remote->taken("inspect");
            w.remote->taken("renew");
            trims += w.remote->taken("trim");
            BOOST_TEST(w.remote->taken_in_all() == 0);
        }
        BOOST_TEST(trims <= 20 * size / 10 / 1'000);  // records, and how many may pile up
    }
}

BOOST_AUTO_TEST_CASE(while_a_window_is_worked_on_nothing_is_read) {
    far_rig w(10);
    auto windows = w.consume(count_window(1'000));
    auto got = w.begin(windows.next_window());
    w.foreign(100);
    BOOST_REQUIRE(got.ok());
    BOOST_TEST(w.reads() == 2);  // the first when it got the lease
    for (int i = 0; i < 10; ++i) {
        w.foreign(30);
        w.finish(got.value()->commit());
        got = w.begin(windows.next_window());
        BOOST_TEST(!got.done());
        w.foreign(70);
        BOOST_REQUIRE(got.ok());
        BOOST_TEST(w.reads() == 1);
    }
}

BOOST_AUTO_TEST_CASE(a_backlog_makes_a_window_no_dearer) {
    for (int const size : {10, 1'000}) {
        far_rig w(10, 100);
        w.foreign(100'000, 0ms);  // 1,000,000 messages
        w.remote->calls.clear();
        auto windows = w.consume(count_window(size));
        int most = 0;
        int reads = 0;
        for (int i = 0; i < 300; ++i) {
            if (i % 10 == 0) w.foreign();
            BOOST_REQUIRE(w.take(windows) == static_cast<std::size_t>(size));
            auto const these = w.reads();
            most = std::max(most, these);
            reads += these;
        }
        BOOST_TEST(most == 1);
        BOOST_TEST(reads <= 300 * size / 10'000 + 1);
        BOOST_TEST(w.remote->most_read <= std::size_t{2} << 20);
        BOOST_TEST(w.remote->taken("commit") == 300);
        BOOST_TEST(w.remote->taken("inspect") <= 1);
    }
}

BOOST_AUTO_TEST_CASE(a_large_window_is_read_in_few_calls) {
    far_rig w(1'000, 100);
    auto windows = w.consume(count_window(100'000));
    w.advance(2ms);
    w.remote->calls.clear();
    for (int i = 0; i < 3; ++i) {
        w.foreign(100);
        BOOST_TEST(w.take(windows) == 100'000U);
        // How large messages are is known after the first read.
        BOOST_TEST(w.reads() == (i == 0 ? 2 : 1));
    }
    BOOST_TEST(w.remote->most_read > std::size_t{10} << 20);
    w.remote->most_read = 0;
    w.foreign(250);
    for (int i = 0; i < 2; ++i) BOOST_TEST(w.take(windows) == 100'000U);
    BOOST_TEST(w.reads() == 2);
    BOOST_TEST(w.remote->most_read <= std::size_t{14} << 20);
}

BOOST_AUTO_TEST_CASE(what_was_appended_here_is_not_read) {
    far_rig w;
    auto windows = w.consume(count_window(10));
    w.remote->calls.clear();
    for (int i = 0; i < 30; ++i) w.append(i);
    for (int i = 0; i < 3; ++i) BOOST_TEST(w.take(windows) == 10U);
    BOOST_TEST(w.reads() == 0);
}

BOOST_AUTO_TEST_CASE(an_age_is_kept_though_nothing_was_read_meanwhile) {
    far_rig w;
    auto windows = w.consume(count_window(100) || max_age(1s));
    w.advance(300ms);
    for (int const more : {0, 5}) {
        auto const got = w.begin(windows.next_window());
        auto const t = w.now();
        w.reads();
        w.foreign();
        BOOST_TEST(w.reads() == 1);
        w.foreign(more, 50ms);
        BOOST_TEST(w.reads() == 0);
        w.advance(milliseconds(t + 999 - w.now()));
        BOOST_TEST(!got.done());
        w.advance(1ms);
        BOOST_REQUIRE(got.ok());
        BOOST_TEST(got.value()->size() == static_cast<std::size_t>(1 + more));
        BOOST_TEST((got.value()->reason() == window_reason::timeout));
        BOOST_TEST(w.reads() == (more > 0 ? 1 : 0));
        w.finish(got.value()->commit());
    }
}

BOOST_AUTO_TEST_CASE(a_flush_sees_what_was_put_off) {
    for (bool const hidden : {false, true}) {
        far_rig w;
        auto windows = w.consume(count_window(10));
        w.reads();
        w.foreign(5);
        BOOST_TEST(w.reads() == 0);
        if (hidden) w.lie();
        w.foreign(2);
        windows.stop(drain::flush);
        BOOST_TEST(w.take(windows) == 7U);
        auto const last = w.begin(windows.next_window());
        BOOST_REQUIRE(last.ok());
        BOOST_TEST(!last.value().has_value());
    }
}

BOOST_AUTO_TEST_CASE(who_comes_next_gets_what_was_put_off) {
    far_rig w;
    auto first = w.consume(count_window(10));
    w.foreign(5);
    first.stop();
    auto second = w.consume(count_window(5));
    BOOST_TEST(w.take(second) == 5U);
}

// An inspection may show less than there is, however it comes about.
BOOST_AUTO_TEST_CASE(an_end_that_was_learned_too_low_is_corrected) {
    enum class by { signal, own_append, append_in_doubt, renewal };
    for (auto const how : {by::signal, by::own_append, by::append_in_doubt, by::renewal}) {
        far_rig w;
        auto windows = w.consume(count_window(10), {.lease = 3s});
        auto const got = w.begin(windows.next_window());
        w.foreign(5);
        w.lie();
        w.foreign(how == by::renewal ? 5 : 4);
        BOOST_TEST(!got.done());
        if (how == by::signal || how == by::renewal) w.remote->falsify = nullptr;
        if (how == by::signal) w.foreign();
        if (how == by::append_in_doubt) w.faulty->fail_call(1, errc::outcome_unknown, failing_store::way::answer_lost);
        if (how == by::own_append || how == by::append_in_doubt) {
            auto const document = reading(1);
            w.begin(w.readings.append(document));
        }
        if (how == by::renewal) w.advance(1s);
        BOOST_TEST(got.ok(), static_cast<int>(how));
        if (got.ok()) BOOST_TEST(got.value()->size() == 10U);
    }
}

// They look again with each renewal, together.
BOOST_AUTO_TEST_CASE(looking_again_costs_one_call) {
    remote_rig w;
    auto const other = w.open(w.memory(w.name));
    std::vector<consumer> consumers;
    for (int i = 0; i < 10; ++i) {
        auto const name = "s" + std::to_string(i);
        auto stream = w.finish(stream::get_or_create(w.db, name));
        consumers.push_back(w.finish(stream.consume(count_window(10), {.lease = 3s})));
        auto elsewhere = w.finish(other.find_stream(name));
        auto const document = reading(i);
        w.finish(elsewhere.append(document));
    }
    w.advance(10ms);
    w.remote->calls.clear();
    w.advance(1s);
    BOOST_TEST(w.remote->taken("renew") == 1);
    BOOST_TEST(w.remote->taken("inspect") == 1);
    BOOST_TEST(w.remote->taken_in_all() == 0);
}

// The signal is not looked into, since there is something to read; then that is in memory.
BOOST_AUTO_TEST_CASE(a_signal_that_was_not_looked_into_is_not_forgotten) {
    far_rig w;
    auto windows = w.consume(count_window(1));
    w.append(0);
    auto const held = w.begin(windows.next_window());
    BOOST_REQUIRE(held.ok());
    w.append(1);
    w.foreign();
    w.finish(held.value()->commit());
    BOOST_TEST(w.take(windows) == 1U);
    BOOST_TEST(w.take(windows) == 1U);
}

BOOST_AUTO_TEST_CASE(reads_that_lag_behind_inspections_are_repeated_at_leisure) {
    far_rig w;
    auto windows = w.consume(count_window(10));
    auto const got = w.begin(windows.next_window());
    w.reads();
    w.remote->lags = true;
    w.foreign(10);
    w.advance(100ms);
    auto const reads = w.reads();
    BOOST_TEST(reads > 2);
    BOOST_TEST(reads < 15);
    w.remote->lags = false;
    w.advance(10ms);
    BOOST_TEST(got.ok());
}

// Nothing comes for the numbers that were cleared.
BOOST_AUTO_TEST_CASE(a_clear_ends_the_reading_of_what_was_there) {
    far_rig w;
    auto windows = w.consume(count_window(10));
    w.foreign(5);
    w.elsewhere_store->clear_stream(w.log.incarnation, w.time->now());
    windows.stop(drain::flush);
    auto const last = w.begin(windows.next_window());
    BOOST_REQUIRE(last.ok());
    BOOST_TEST(!last.value().has_value());
    BOOST_TEST(w.reads() <= 2);
}

BOOST_AUTO_TEST_SUITE_END()
