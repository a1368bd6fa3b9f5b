#include <algorithm>
#include <iostream>
#include <minibatch.hpp>

#include "reliability/after_kills.hpp"
#include "reliability/chaos.hpp"
#include "reliability/checks.hpp"
#include "support/coroutine.hpp"
#include "support/mongo_server.hpp"

using namespace minibatch;
using namespace minibatch::test;

namespace {

/// Kills workers, and now and then the server. All messages are kept, so that the log can be compared with the windows.
void run(expectation const& expected, std::string const& strategy, int kills, int server_kills) {
    auto const seed = seed_of_run();
    BOOST_TEST_INFO_SCOPE("MINIBATCH_RELIABILITY_SEED=" << seed);
    mongo_server server({.sync_on_commit = true});
    chaos all(seed, {"partitions=" + std::to_string(expected.partitions)},
              {"strategy=" + strategy, "in_flight=" + std::to_string(expected.max_in_flight), "keep=1", "lease=600"},
              server.url("numbers"));
    auto const between = kills / (server_kills + 1);
    try {
        all.run(kills, [&](int killed) {
            if (server_kills == 0 || killed % between != 0 || killed / between > server_kills) return;
            server.kill();
            server.start();
        });
        all.finish();
    } catch (std::exception const& problem) {
        BOOST_FAIL(problem.what());
    }
    auto const told = all.reports();
    auto const found = check_windows(told, expected);
    none(found.problems);
    none(check_appends(told, found.messages, expected.partitions));
    std::vector<numbered> log;
    ::test::run([&] { return read_log(all.database(), expected.partitions, log); });
    BOOST_TEST((log == found.messages));
    auto const doubtful = std::ranges::count_if(told.calls, [](auto const& each) { return !each.acknowledged; });
    auto const again = std::ranges::count_if(told.deliveries, [](auto const& each) { return each.attempt > 1; });
    std::cout << kills << " kills: " << found.messages.size() << " messages, " << doubtful << " appends in doubt, "
              << told.deliveries.size() << " deliveries, " << again << " of them repeated\n";
    BOOST_TEST(!found.messages.empty());
    // The kills must have hit something; what exactly is left to chance.
    BOOST_TEST(doubtful + again > 0);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(mongo_kills)

BOOST_AUTO_TEST_CASE(count_windows) { run({.count = 10}, "count:10", 120, 0); }
BOOST_AUTO_TEST_CASE(two_partitions_and_the_server) { run({.partitions = 2, .count = 10}, "count:10", 150, 4); }

BOOST_AUTO_TEST_SUITE_END()
