// The whole runtime on clocks that are set or stand still.

#include <boost/test/unit_test.hpp>
#include <functional>

#include "runtime/clock_reader.hpp"
#include "support/rig.hpp"

using namespace std::chrono_literals;
using namespace minibatch;
using namespace minibatch::test;

BOOST_AUTO_TEST_SUITE(clocks)

namespace {

/// What happens to the database's clock around the first append.
struct disturbance {
    char const* name;
    std::function<void(virtual_time&)> before;
    std::function<void(virtual_time&)> after;
};

void nothing(virtual_time&) {}

std::vector<disturbance> const disturbances{
    {"none", nothing, nothing},
    {"an hour ahead for one append", [](auto& time) { time.set_clock(1h); }, [](auto& time) { time.set_clock(0h); }},
    {"an hour ahead from then on", [](auto& time) { time.set_clock(1h); }, nothing},
    {"set back by an hour afterwards", nothing, [](auto& time) { time.set_clock(-1h); }},
    {"an hour behind from then on", [](auto& time) { time.set_clock(-1h); }, nothing},
    {"stands still from then on", nothing, [](auto& time) { time.stop_clock(); }},
    {"stands still an hour ahead", [](auto& time) { time.set_clock(1h); }, [](auto& time) { time.stop_clock(); }}};

struct strategy_kind {
    char const* name;
    std::function<strategy()> make;
};

std::vector<strategy_kind> const strategies{
    {"relaxed", [] { return relaxed_time_window(1s); }},
    {"max_age", [] { return max_age(1s); }},
    {"count or max_age", [] { return count_window(10) || max_age(1s); }},
    {"relaxed or count", [] { return relaxed_time_window(1s) || count_window(10); }}};

}  // namespace

BOOST_AUTO_TEST_CASE(windows_close_by_the_time_that_has_passed) {
    for (auto const& how : strategies) {
        for (auto const& clock : disturbances) {
            for (bool const other_process : {false, true}) {
                BOOST_TEST_CONTEXT(how.name << ", clock: " << clock.name
                                            << (other_process ? ", appended elsewhere" : "")) {
                    rig w;
                    auto windows = w.consume(how.make());
                    auto producer = other_process ? w.elsewhere() : w.readings;
                    for (int round = 0; round < 3; ++round) {
                        auto const got = w.begin(windows.next_window());
                        auto const document = reading(round);
                        if (round == 0) clock.before(*w.time);
                        w.finish(producer.append(document));
                        if (round == 0) clock.after(*w.time);
                        w.advance(998ms);
                        BOOST_TEST(!got.done());
                        w.advance(4ms);
                        BOOST_REQUIRE(got.ok());
                        BOOST_TEST(values(*got.value()) == std::vector<std::int64_t>{round},
                                   boost::test_tools::per_element());
                        w.finish(got.value()->commit());
                        w.advance(998ms);  // the ticks of relaxed windows stay where they are
                    }
                }
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(fixed_windows_wait_for_stamps_and_say_so) {
    rig w;
    auto windows = w.consume(fixed_time_window(1min, {.emit_empty = false}));
    auto const got = w.begin(windows.next_window());
    w.time->set_clock(1h);
    auto const stamped = w.now();
    w.append(0);
    w.time->set_clock(0h);
    w.advance(90s);
    w.append(1);
    BOOST_TEST(!got.done());
    auto const until = (stamped / 60'000 + 1) * 60'000;
    BOOST_TEST(w.was_logged("time windows stand still until " + runtime::utc_text(until)));
    BOOST_TEST(w.was_logged("the database's clock has gone ahead of the time elapsed by 3600.0 s"));
    BOOST_TEST((w.finish(w.readings.info()).ahead == milliseconds(stamped - w.now())));
    w.advance(milliseconds(until - w.now() - 1));
    BOOST_TEST(!got.done());
    w.advance(1ms);
    BOOST_REQUIRE(got.ok());
    BOOST_TEST(got.value()->size() == 2U);
    BOOST_TEST(w.finish(w.readings.info()).ahead.count() == 0);
    auto const warnings = std::count_if(w.logged->begin(), w.logged->end(),
                                        [](auto const& line) { return line.find("stand still") != std::string::npos; });
    BOOST_TEST(warnings == 1);
}

BOOST_AUTO_TEST_CASE(leases_end_by_the_time_that_has_passed) {
    for (auto const& clock : disturbances) {
        BOOST_TEST_CONTEXT("clock: " << clock.name) {
            rig w;
            w.append(0);
            w.append(1);
            auto first = w.consume(count_window(1), {.lease = 3s});
            auto const held = w.begin(first.next_window());
            BOOST_REQUIRE(held.ok());
            auto other = w.elsewhere();
            auto second = w.finish(other.consume(count_window(1), {.lease = 3s}));
            auto const taken = w.begin(second.next_window());
            w.settle();

            clock.before(*w.time);
            w.advance(1s);  // renewed
            clock.after(*w.time);
            w.advance(20s);  // and again, so that nobody takes over
            BOOST_TEST(w.group().held.epoch == 1);
            BOOST_TEST(!taken.done());

            w.faulty->fail_all(errc::unavailable, [](auto call) { return call == "write"; });
            w.advance(1'999ms);
            BOOST_TEST(!taken.done());
            w.advance(1'010ms);
            BOOST_TEST(taken.ok());
            BOOST_TEST(w.group().held.epoch == 2);
        }
    }
}

BOOST_AUTO_TEST_CASE(group_of_a_consumer_that_died_with_its_clock_ahead_is_deleted_after_a_lease) {
    rig w;
    auto windows = w.consume(count_window(1), {.lease = 3s});
    w.time->set_clock(1h);
    w.advance(1s);
    BOOST_TEST(w.group().held.expires > w.now());
    w.faulty->fail_all(errc::unavailable, [](auto call) { return call == "write"; });
    w.time->set_clock(0h);
    auto const other = w.open(w.memory(w.name));
    auto const removed = w.start(other.delete_group("readings", "default"));
    w.advance(3s);
    BOOST_TEST(removed.what() == "");
    BOOST_TEST(removed.ok());
}

BOOST_AUTO_TEST_CASE(clock_that_is_ahead_for_a_moment_removes_nothing) {
    rig w({.max_age = 10min});
    for (int i = 0; i < 10; ++i) w.append(i);
    w.advance(5s);
    w.time->set_clock(1h);
    w.advance(5s);
    w.time->set_clock(0h);
    BOOST_TEST(w.finish(w.readings.info()).messages == 10);
    w.advance(10min);
    BOOST_TEST(w.finish(w.readings.info()).messages == 1);  // the last record always stays
}

BOOST_AUTO_TEST_SUITE_END()
