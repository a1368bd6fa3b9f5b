#include <boost/test/unit_test.hpp>

#include "reliability/checks.hpp"

using namespace minibatch::test;

BOOST_AUTO_TEST_SUITE(reliability_checks)

namespace {

using lines = std::vector<std::string>;

lines const appends{
    "appending 1 0 0 single",   "appended 1 0 0 0 0",    // message 0
    "appending 2 0 2 range",    "appended 2 0 2 0 1",    // 1, 2, 3
    "appending 3 0 1 buffered", "appended 3 0 1 -1 -1",  // 4, 5
    "appending 1 1 1 single",   "appending 1 2 2 single", "appended 1 2 2 0 6",
};

std::string const first = "default/0/0-2 0 1 10 10 count 0:10:1:0:0:0,1:10:2:0:0:2,2:10:2:1:0:2";
std::string const first_again = "default/0/0-2 0 2 10 10 count 0:10:1:0:0:0,1:10:2:0:0:2,2:10:2:1:0:2";
std::string const second = "default/0/3-5 0 1 10 11 count 3:10:2:2:0:2,4:10:3:0:0:1,5:11:3:1:0:1";
std::string const rest = "default/0/6-6 0 1 11 11 flush 6:11:1:2:2:2";

lines const good{"delivered 1 " + first,       "delivered 2 " + first_again, "committing 2 default/0/0-2",
                 "committed 2 default/0/0-2",  "committing 1 default/0/0-2", "fenced 1 default/0/0-2 taken over",
                 "delivered 2 " + second,      "committing 2 default/0/3-5", "delivered 3 " + rest,
                 "committing 3 default/0/6-6", "committed 3 default/0/6-6"};

std::size_t problems(lines const& windows, lines const& calls = appends) {
    history all;
    read_report(calls, all);
    read_report(windows, all);
    expectation expected;
    expected.count = 3;
    auto const found = check_windows(all, expected);
    auto const more = check_appends(all, found.messages, 1);
    for (auto const& each : found.problems) BOOST_TEST_MESSAGE(each);
    for (auto const& each : more) BOOST_TEST_MESSAGE(each);
    return found.problems.size() + more.size();
}

lines replaced(lines from, std::string const& what, std::string const& with) {
    for (auto& each : from)
        if (auto const at = each.find(what); at != std::string::npos) each.replace(at, what.size(), with);
    return from;
}

lines without(lines from, std::size_t index) {
    from.erase(from.begin() + static_cast<std::ptrdiff_t>(index));
    return from;
}

lines with(lines from, std::size_t before, std::string const& line) {
    from.insert(from.begin() + static_cast<std::ptrdiff_t>(before), line);
    return from;
}

}  // namespace

BOOST_AUTO_TEST_CASE(nothing_wrong) {
    BOOST_TEST(problems(good) == 0U);
    // The append in doubt (producer 1, number 1) was not stored; nor need a buffered call be whole.
    BOOST_TEST(problems(good, without(appends, 5)) == 0U);
}

BOOST_AUTO_TEST_CASE(windows_gone_wrong) {
    // A message is dropped; a window is never committed; the last one is missing.
    BOOST_TEST(problems(replaced(good, ",5:11:3:1:0:1", "")) > 0U);
    BOOST_TEST(problems(without(good, 7)) > 0U);
    BOOST_TEST(problems({good.begin(), good.begin() + 8}) > 0U);
    // Committed twice; delivered again after it was committed, or after the doubtful commit.
    BOOST_TEST(problems(replaced(good, "fenced 1", "committed 1")) > 0U);
    BOOST_TEST(problems(with(good, 8, "delivered 3 " + replaced({second}, " 0 1 ", " 0 2 ").front())) > 0U);
    BOOST_TEST(problems(with(good, 6, "delivered 3 " + replaced({first}, " 0 1 ", " 0 3 ").front())) > 0U);
    // Another content the second time; an attempt that does not grow; too early; a wrong size.
    BOOST_TEST(problems(replaced(good, "0 2 10 10 count 0:10:1:0", "0 2 10 10 count 0:10:1:9")) > 0U);
    auto const killed = without(without(good, 4), 4);
    BOOST_TEST(problems(killed) == 0U);
    BOOST_TEST(problems(replaced(killed, "0 2 10 10", "0 1 10 10")) > 0U);
    BOOST_TEST(problems(with(good, 2, "delivered 4 " + second)) > 0U);
    BOOST_TEST(problems(replaced(good, "flush", "count")) > 0U);
}

BOOST_AUTO_TEST_CASE(a_late_report_of_a_stopped_process_is_no_problem) {
    history all;
    read_report(with(good, 8, "delivered 4 " + second), all);
    expectation expected;
    expected.count = 3;
    BOOST_TEST(!check_windows(all, expected).problems.empty());
    all.stopped.insert(4);
    BOOST_TEST(check_windows(all, expected).problems.empty());
}

BOOST_AUTO_TEST_CASE(fixed_windows_gone_wrong) {
    lines const fixed{"delivered 1 default/0/0-0 0 1 20 40 time 0:25:1:0:0:0",
                      "committing 1 default/0/0-0",
                      "delivered 1 default/0/@40 0 1 40 60 time -",
                      "committing 1 default/0/@40",
                      "delivered 1 default/0/1-1 0 1 60 80 time 1:79:1:2:2:2",
                      "committing 1 default/0/1-1"};
    auto const count = [](lines const& windows) {
        history all;
        read_report(windows, all);
        expectation expected;
        expected.interval = 20;
        return check_windows(all, expected).problems.size();
    };
    BOOST_TEST(count(fixed) == 0U);
    BOOST_TEST(count({fixed[0], fixed[1], fixed[4], fixed[5]}) > 0U);
    BOOST_TEST(count(replaced(fixed, "1:79:", "1:80:")) > 0U);
    BOOST_TEST(count(replaced(fixed, "60 80", "60 81")) > 0U);
}

BOOST_AUTO_TEST_CASE(appends_gone_wrong) {
    BOOST_TEST(problems(good, replaced(appends, "appended 2 0 2 0 1", "appended 2 0 2 0 2")) > 0U);  // another place
    BOOST_TEST(problems(good, with(appends, 9, "appending 2 3 4 range")) == 0U);
    BOOST_TEST(problems(good, with(with(appends, 9, "appending 2 3 4 range"), 10, "appended 2 3 4 0 9")) > 0U);
    BOOST_TEST(problems(good, without(without(appends, 0), 0)) > 0U);          // nobody's message
    BOOST_TEST(problems(good, replaced(appends, " 2 0 2 ", " 2 0 3 ")) > 0U);  // in part
    BOOST_TEST(problems(replaced(good, "5:11:3:1", "5:11:3:0")) > 0U);         // twice
    BOOST_TEST(problems(replaced(replaced(good, "1:10:2:0", "1:10:2:9"), "2:10:2:1:", "2:10:2:0:")) > 0U);
}

BOOST_AUTO_TEST_CASE(reports_that_were_cut_off) {
    std::string whole = "committed 1 default/0/0-2 ;";
    BOOST_TEST(is_whole(whole));
    BOOST_TEST(whole == "committed 1 default/0/0-2");
    std::string cut = "committed 1 default/0/0-";
    BOOST_TEST(!is_whole(cut));
    std::vector<numbered> const two{{1, 5, 70, 2, 9, 8, 9}, {1, 6, 71, 3, 0, 0, 0}};
    BOOST_TEST((from_word(to_word(two), 1) == two));
    BOOST_TEST((from_word(to_word({}), 1).empty()));
}

BOOST_AUTO_TEST_SUITE_END()
