#include "runtime/log_throttle.hpp"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace minibatch;

BOOST_AUTO_TEST_SUITE(log_throttle)

namespace {

struct throttled_log {
    store::steady_time time{};
    std::vector<std::string> lines;
    log_callback log = runtime::throttle_repetitions(
        [this](log_level, std::string_view text) { lines.emplace_back(text); }, [this] { return time; });

    void say(std::string const& text) { log(log_level::warning, text); }
    /// So many times, at such intervals.
    void repeat(std::string const& text, int times, std::chrono::milliseconds interval) {
        for (int i = 0; i < times; ++i, time += interval) say(text);
    }
};

}  // namespace

BOOST_AUTO_TEST_CASE(repetitions_come_at_growing_intervals) {
    throttled_log to;
    to.repeat("away", 11, 100ms);
    BOOST_TEST(to.lines == (std::vector<std::string>{"away", "away (repeated 9 times meanwhile)"}),
               boost::test_tools::per_element());
    to.lines.clear();
    to.repeat("away", 36'000, 100ms);  // an hour
    // After 2, 4, 8 … 512 s, then every 10 min.
    BOOST_TEST(to.lines.size() == 13U);
    BOOST_TEST(to.lines.back() == "away (repeated 5999 times meanwhile)");
}

BOOST_AUTO_TEST_CASE(other_lines_are_not_held_back) {
    throttled_log to;
    to.say("a");
    to.say("b");
    to.say("a");
    to.say("c");
    BOOST_TEST(to.lines == (std::vector<std::string>{"a", "b", "c"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(after_a_pause_a_line_is_new) {
    throttled_log to;
    to.repeat("away", 100, 100ms);
    to.time += 2min;
    to.lines.clear();
    to.repeat("away", 11, 100ms);
    BOOST_TEST(to.lines.size() == 2U);
}

BOOST_AUTO_TEST_CASE(many_different_lines) {
    throttled_log to;
    for (int i = 0; i < 5'000; ++i) to.say(std::to_string(i));
    BOOST_TEST(to.lines.size() == 5'000U);
}

BOOST_AUTO_TEST_CASE(nothing_for_nobody) { BOOST_TEST(!runtime::throttle_repetitions({}, nullptr)); }

BOOST_AUTO_TEST_SUITE_END()
