#include <boost/test/unit_test.hpp>

#include "support/rig.hpp"

using namespace std::chrono_literals;
using namespace minibatch;
using namespace minibatch::test;

/// What happens while a write hangs, and after single answers were lost.
BOOST_AUTO_TEST_SUITE(slow_store)

BOOST_AUTO_TEST_CASE(an_append_that_is_not_handed_over_times_out_by_itself) {
    rig w;
    std::vector<started<position>> late;
    auto const append = [&](int value) {
        auto const document = reading(value);
        return w.start(w.readings.append(document));
    };
    auto const handed_over = append(0);
    w.faulty->during_write = [&] {
        for (int i = 1; i <= 3; ++i) {  // one each 10 s
            late.push_back(append(i));
            w.advance(10s);
        }
        BOOST_TEST(!late[0].done());
        for (int i = 0; i < 3; ++i) {
            w.advance(1ms);
            BOOST_TEST((late[static_cast<std::size_t>(i)].code() == errc::timeout));
            BOOST_TEST(late[static_cast<std::size_t>(i)].what().find("not handed to the database") !=
                       std::string::npos);
            for (int j = i + 1; j < 3; ++j) BOOST_TEST(!late[static_cast<std::size_t>(j)].done());
            w.advance(9'999ms);
        }
    };
    w.settle();
    BOOST_TEST(handed_over.ok());
    BOOST_TEST(late.size() == 3U);
    BOOST_TEST(w.stored() == 1);
    w.append(4);
    BOOST_TEST(w.stored() == 2);
}

BOOST_AUTO_TEST_CASE(room_that_a_cancelled_append_leaves_is_used) {
    int taken_back = 0;
    for (int steps = 0; steps < 12; ++steps) {
        BOOST_TEST_INFO_SCOPE("after " << steps << " steps");
        rig w({}, encode_document(reading(0)).text.size());
        auto const append = [&](int value) {
            auto const document = reading(value);
            return w.start(w.readings.append(document));
        };
        auto const first = append(0);
        auto const second = append(1);
        for (int i = 0; i < steps; ++i) w.step();
        first.cancel();
        w.settle();
        BOOST_TEST(second.ok());
        BOOST_TEST(w.stored() == (first.code() == asio::error::operation_aborted ? 1 : 2));
        if (first.code() == asio::error::operation_aborted) ++taken_back;
    }
    BOOST_TEST(taken_back >= 1);
}

BOOST_AUTO_TEST_CASE(room_that_an_expired_append_leaves_is_used) {
    auto const size = encode_document(reading(0)).text.size();
    rig w({}, size * 3);
    auto const append = [&](int value) {
        auto const document = reading(value);
        return w.start(w.readings.append(document));
    };
    auto const first = append(0);
    std::optional<started<position>> second;
    std::vector<started<position>> blocked;
    w.faulty->during_write = [&] {
        second = append(1);
        w.settle();
        std::vector<boost::json::value> const two{reading(2), reading(3)};
        blocked.push_back(w.start(w.readings.append(two)));
        w.advance(40s);
    };
    w.settle();
    BOOST_TEST(first.ok());
    BOOST_TEST((second->code() == errc::timeout));
    BOOST_TEST((blocked[0].code() == errc::timeout));
    w.append(4);
    BOOST_TEST(w.stored() == 2);
}

BOOST_AUTO_TEST_CASE(an_append_in_doubt_reaches_the_waiting_consumer) {
    rig w;
    auto windows = w.consume(count_window(1));
    auto const waits = w.begin(windows.next_window());
    w.faulty->fail_call(1, errc::outcome_unknown, failing_store::way::answer_lost);
    auto const document = reading(0);
    auto const append = w.begin(w.readings.append(document));
    BOOST_TEST((append.code() == errc::outcome_unknown));
    BOOST_TEST(w.stored() == 1);
    BOOST_TEST(waits.ok());
}

BOOST_AUTO_TEST_CASE(a_failed_look_for_changes_is_repeated) {
    rig w;
    auto windows = w.consume(count_window(1));
    auto const waits = w.begin(windows.next_window());
    auto other = w.elsewhere();
    w.advance(10ms);
    w.faulty->fail_all(errc::unavailable, [](auto call) { return call == "inspect"; });
    auto const document = reading(0);
    w.finish(other.append(document));
    w.settle();
    BOOST_TEST(!waits.done());
    w.faulty->heal();
    w.advance(1s);
    BOOST_TEST(waits.ok());
}

BOOST_AUTO_TEST_CASE(a_commit_in_doubt_is_not_delivered_again) {
    rig w;
    for (int i = 0; i < 3; ++i) w.append(i);
    auto windows = w.consume(count_window(1), {.max_in_flight = 2});
    auto const first = w.begin(windows.next_window());
    auto const second = w.begin(windows.next_window());
    w.faulty->fail_call(1, errc::outcome_unknown, failing_store::way::answer_lost);
    auto const commit = w.begin(second.value()->commit());
    BOOST_TEST(w.faulty->hit().contains("write"));
    BOOST_TEST((commit.ok() || commit.code() == errc::outcome_unknown));
    if (commit.ok()) BOOST_TEST(second.value()->id() == "default/0/1-1");
    second.value().reset();
    w.advance(1min);
    auto const third = w.begin(windows.next_window());
    BOOST_REQUIRE(third.ok());
    BOOST_TEST(third.value()->id() == "default/0/2-2");
    w.finish(first.value()->commit());
    w.finish(third.value()->commit());
    BOOST_TEST(w.group().state.low == 3);
    BOOST_TEST(!w.was_logged("taken over"));
}

BOOST_AUTO_TEST_SUITE_END()
