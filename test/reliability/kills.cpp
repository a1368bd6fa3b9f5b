#include <sqlite3.h>

#include <algorithm>
#include <iostream>
#include <minibatch.hpp>

#include "reliability/after_kills.hpp"
#include "reliability/chaos.hpp"
#include "reliability/checks.hpp"
#include "support/coroutine.hpp"

using namespace minibatch;
using namespace minibatch::test;

namespace {

struct plan {
    expectation windows;
    std::string strategy;
    bool keep = false;
    int kills = 0;
};

std::string integrity(std::string const& database) {
    sqlite3* db = nullptr;
    std::string answer;
    auto const keep = [](void* to, int, char** values, char**) {
        *static_cast<std::string*>(to) += values[0];
        return 0;
    };
    if (sqlite3_open(database.c_str(), &db) != SQLITE_OK ||
        sqlite3_exec(db, "PRAGMA integrity_check", keep, &answer, nullptr) != SQLITE_OK)
        answer = sqlite3_errmsg(db);
    sqlite3_close(db);
    return answer;
}

/// With `keep` all messages are still there; else they have been removed but for the last record.
void check_log(plan const& how, std::vector<numbered> const& log, std::vector<numbered> const& committed) {
    if (how.keep) {
        BOOST_TEST(log.size() == committed.size());
        BOOST_TEST((log == committed));
        return;
    }
    for (int partition = 0; partition < how.windows.partitions; ++partition) {
        std::vector<numbered> left;
        std::vector<numbered> all;
        std::ranges::copy_if(log, std::back_inserter(left), [&](auto const& m) { return m.partition == partition; });
        std::ranges::copy_if(committed, std::back_inserter(all),
                             [&](auto const& m) { return m.partition == partition; });
        BOOST_TEST(left.size() <= static_cast<std::size_t>(std::max<std::int64_t>(how.windows.count, 1)));
        BOOST_TEST((left.size() <= all.size() && std::equal(left.rbegin(), left.rend(), all.rbegin())));
    }
}

void run(plan const& how) {
    auto const seed = seed_of_run();
    BOOST_TEST_INFO_SCOPE("MINIBATCH_RELIABILITY_SEED=" << seed);
    auto const in_flight = "in_flight=" + std::to_string(how.windows.max_in_flight);
    chaos all(seed, {"partitions=" + std::to_string(how.windows.partitions)},
              {"strategy=" + how.strategy, in_flight, how.keep ? "keep=1" : "keep=0", "lease=300"});
    try {
        all.run(how.kills);
        all.finish();
    } catch (std::exception const& problem) {
        BOOST_FAIL(problem.what());
    }
    auto const told = all.reports();
    auto const found = check_windows(told, how.windows);
    none(found.problems);
    none(check_appends(told, found.messages, how.windows.partitions));
    std::vector<numbered> log;
    ::test::run([&] { return read_log("sqlite:" + all.database(), how.windows.partitions, log); });
    check_log(how, log, found.messages);
    BOOST_TEST(integrity(all.database()) == "ok");

    // The kills must have hit something; what exactly is left to chance.
    using outcome = delivery::outcome;
    auto const with = [&](outcome what) {
        return std::ranges::count(told.deliveries, what, [](auto const& each) { return each.what; });
    };
    auto const again = std::ranges::count_if(told.deliveries, [](auto const& each) { return each.attempt > 1; });
    auto const doubtful = std::ranges::count_if(told.calls, [](auto const& each) { return !each.acknowledged; });
    std::cout << how.kills << " kills: " << found.messages.size() << " messages, " << doubtful << " appends in doubt, "
              << told.deliveries.size() << " deliveries, " << again << " of them repeated, " << with(outcome::committed)
              << " committed, " << with(outcome::in_doubt) << " in doubt, " << with(outcome::fenced) << " fenced\n";
    BOOST_TEST(doubtful + again > 0);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(kills)

BOOST_AUTO_TEST_CASE(count_windows) { run({{.count = 10}, "count:10", false, 100}); }
BOOST_AUTO_TEST_CASE(several_in_flight) { run({{.max_in_flight = 4, .count = 7}, "count:7", false, 100}); }
BOOST_AUTO_TEST_CASE(two_partitions_kept) { run({{.partitions = 2, .count = 10}, "count:10", true, 80}); }
BOOST_AUTO_TEST_CASE(relaxed_windows_kept) { run({{}, "relaxed:5", true, 60}); }
BOOST_AUTO_TEST_CASE(fixed_windows_kept) { run({{.interval = 10}, "fixed:10", true, 60}); }

BOOST_AUTO_TEST_SUITE_END()
