#include <boost/test/unit_test.hpp>

#include "reliability/after_kills.hpp"
#include "reliability/chaos.hpp"
#include "support/mongo_server.hpp"
#include "support/soak.hpp"

using namespace minibatch::test;

BOOST_AUTO_TEST_SUITE(mongo_kills)

namespace {

/// Kills workers, and so many times the server in between.
void run(kill_plan const& how, int server_kills = 0) {
    auto const seed = seed_of_run();
    BOOST_TEST_INFO_SCOPE("MINIBATCH_TEST_SEED=" << seed);
    mongo_server server({.sync_on_commit = true});
    auto told = consuming(how);
    told.push_back("lease=600");
    chaos all(seed, {"partitions=" + std::to_string(how.windows.partitions)}, told, server.url("numbers"));
    auto const kills = kills_of_run(how);
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
    check_after_kills(how, all.reports(), all.database());
}

}  // namespace

BOOST_AUTO_TEST_CASE(count_windows) { run({{.count = 10}, "count:10", false, 60}); }
BOOST_AUTO_TEST_CASE(several_in_flight_and_the_server) {
    run({{.max_in_flight = 4, .count = 7}, "count:7", false, 80}, 3);
}
BOOST_AUTO_TEST_CASE(two_partitions_kept_and_the_server) {
    run({{.partitions = 2, .count = 10}, "count:10", true, 100}, 4);
}
BOOST_AUTO_TEST_CASE(relaxed_windows_kept) { run({{}, "relaxed:5", true, 40}); }
BOOST_AUTO_TEST_CASE(fixed_windows_kept) { run({{.interval = 10}, "fixed:10", true, 40}); }

BOOST_AUTO_TEST_SUITE_END()
