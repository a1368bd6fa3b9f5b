#include <boost/test/unit_test.hpp>

#include "windowing_support.hpp"

using namespace windowing_test;  // NOLINT(google-build-using-namespace)

BOOST_AUTO_TEST_SUITE(windowing_read_requirement)

namespace {

struct row {
    strategy how;
    std::vector<std::pair<std::int64_t, time_ms>> fed;  // so many messages, created then
    time_ms now;
    std::string expected;  // worth/missing, and when one is enough; or "all"
};

std::string show(read_requirement const& asked) {
    if (!asked.missing) return "all";
    auto text = std::to_string(asked.worth) + "/" + std::to_string(*asked.missing);
    if (asked.due) text += " until " + std::to_string(*asked.due);
    return text;
}

}  // namespace

BOOST_AUTO_TEST_CASE(how_many_messages_are_worth_reading) {
    auto const age = max_age(milliseconds(100));
    std::vector<row> const table{
        {count_window(10), {}, 0, "10/10"},
        {count_window(10), {{3, 50}}, 60, "7/7"},
        {count_window(10), {{3, 50}, {6, 51}}, 9999, "1/1"},
        {count_window(10), {{10, 50}}, 60, "10/10"},  // a window is there
        {count_window(10), {{25, 50}}, 60, "5/5"},
        {count_window(1), {}, 0, "1/1"},
        {count_window(10) || age, {}, 0, "1/10"},
        {count_window(10) || age, {{3, 50}}, 60, "7/7 until 150"},
        {count_window(10) || age, {{3, 50}, {1, 90}}, 149, "6/6 until 150"},
        {count_window(10) || age, {{3, 50}}, 150, "1/7"},
        {count_window(10) || age, {{10, 50}}, 60, "1/10"},
        {count_window(10) || age, {{13, 50}}, 999, "7/7"},  // the age of what is left is not known yet
        {age, {{3, 50}}, 60, "all"},
        {max_bytes(100), {}, 0, "all"},
        {count_window(10) || max_bytes(100), {{3, 50}}, 60, "all"},
        {fixed_time_window(milliseconds(100)), {}, 0, "all"},
        {relaxed_time_window(milliseconds(100)) || count_window(10), {}, 0, "all"},
    };
    for (std::size_t i = 0; i < table.size(); ++i) {
        bench b(table[i].how);
        for (auto const& [count, created] : table[i].fed) b.add(count, created);
        BOOST_TEST(show(b.plan.required(b.pending, at(table[i].now))) == table[i].expected, "row " << i);
    }
}

BOOST_AUTO_TEST_CASE(recorded_windows_are_looked_for_at_once) {
    store::progress from;
    from.recorded = {{{{0, 5}}, 10, 20, window_reason::timeout, {}}};
    auto const how = count_window(10);
    bench b(how, from);
    BOOST_TEST(show(b.plan.required(b.pending, at(0))) == "all");
    b.add(7, 10);
    BOOST_TEST(b.next(10) == "timeout [0,5) 10..20 recorded");
    BOOST_TEST(show(b.plan.required(b.pending, at(20))) == "8/8");
}

BOOST_AUTO_TEST_CASE(what_is_committed_already_does_not_count) {
    store::progress from;
    from.committed = {{2, 4}};
    auto const how = count_window(10);
    bench b(how, from);
    b.add(6, 10);
    BOOST_TEST(show(b.plan.required(b.pending, at(10))) == "6/6");
}

BOOST_AUTO_TEST_SUITE_END()
