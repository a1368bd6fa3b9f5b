#include <sqlite3.h>

#include <boost/test/unit_test.hpp>

#include "reliability/after_kills.hpp"
#include "reliability/chaos.hpp"
#include "support/soak.hpp"

using namespace minibatch::test;

BOOST_AUTO_TEST_SUITE(kills)

namespace {

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

void run(kill_plan const& how) {
    auto const seed = seed_of_run();
    BOOST_TEST_INFO_SCOPE("MINIBATCH_TEST_SEED=" << seed);
    auto told = consuming(how);
    told.push_back("lease=300");
    chaos all(seed, {"partitions=" + std::to_string(how.windows.partitions)}, told);
    try {
        all.run(kills_of_run(how));
        all.finish();
    } catch (std::exception const& problem) {
        BOOST_FAIL(problem.what());
    }
    check_after_kills(how, all.reports(), "sqlite:" + all.database());
    BOOST_TEST(integrity(all.database()) == "ok");
}

}  // namespace

BOOST_AUTO_TEST_CASE(count_windows) { run({{.count = 10}, "count:10", false, 100}); }
BOOST_AUTO_TEST_CASE(several_in_flight) { run({{.max_in_flight = 4, .count = 7}, "count:7", false, 100}); }
BOOST_AUTO_TEST_CASE(two_partitions_kept) { run({{.partitions = 2, .count = 10}, "count:10", true, 80}); }
BOOST_AUTO_TEST_CASE(relaxed_windows_kept) { run({{}, "relaxed:5", true, 60}); }
BOOST_AUTO_TEST_CASE(fixed_windows_kept) { run({{.interval = 10}, "fixed:10", true, 60}); }

BOOST_AUTO_TEST_SUITE_END()
