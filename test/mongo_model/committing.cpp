// Random histories of one group on a replica set: whatever the network, the servers and the processes do, what was
// committed stays so, and a lease has one holder.

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <memory>

#include "mongo_model/holder.hpp"
#include "mongo_model/seeds.hpp"

using namespace mongo_model;  // NOLINT(google-build-using-namespace)

BOOST_AUTO_TEST_SUITE(mongo_model_committing)

namespace {

void check(group_ledger& told, group_replicas const& replicas) {
    std::map<std::int64_t, int> holders;  // by epoch
    std::set<std::int64_t> before;
    for (auto const& each : replicas.history()) {
        auto const now = committed_in(each.state);
        if (!std::includes(now.begin(), now.end(), before.begin(), before.end()))
            told.violations.push_back("what was committed is not any more");
        before = now;
        if (told.refused.contains(each.state.start_time))
            told.violations.push_back("a commit that was refused is there");
        if (each.holder < 0) continue;
        auto const [at, first] = holders.emplace(each.epoch, each.acquisition);
        if (!first && at->second != each.acquisition) told.violations.push_back("an epoch has had two holders");
    }
}

group_ledger run(fault_profile const& what, int holders, std::uint32_t seed) {
    constexpr moment length = 90'000;
    timeline time(seed);
    fault_profile how = what;
    group_replicas replicas(time, how);
    group_ledger told;
    std::function<void()> const second = [&] {
        if (time.chance(how.failovers)) replicas.fail_over();
        if (time.chance(how.server_clock)) replicas.set_clock();
        time.after(1'000, second);
    };
    time.after(500, second);
    std::vector<std::unique_ptr<holder>> all;
    for (int i = 0; i < holders; ++i) {
        all.push_back(std::make_unique<holder>(time, how, replicas, told, i + 1));
        all.back()->start(length);
    }
    time.run_until(length);
    how.failovers = 0;
    time.run_until(length + 150'000);  // and what is late
    check(told, replicas);
    return told;
}

void run_all(fault_profile const& how, int holders, std::uint32_t seeds) {
    group_ledger sum;
    int broken = 0;
    seeds = for_each_seed(seeds, [&](std::uint32_t seed) {
        auto const got = run(how, holders, seed);
        sum.commits += got.commits;
        sum.unknown += got.unknown;
        sum.fenced += got.fenced;
        sum.renewals += got.renewals;
        sum.releases += got.releases;
        sum.lost_leases += got.lost_leases;
        sum.unexplained += got.unexplained;
        if (got.violations.empty()) return true;
        BOOST_ERROR("seed " << seed << ": " << got.violations.front());
        return ++broken < 3;
    });
    BOOST_TEST_MESSAGE(seeds << " seeds, " << sum.commits << " commits, " << sum.unknown << " unknown, " << sum.fenced
                             << " fenced, " << sum.renewals << " renewals, " << sum.releases << " releases, "
                             << sum.lost_leases << " lost leases");
    BOOST_TEST(sum.commits > static_cast<int>(20 * seeds));
    BOOST_TEST(sum.renewals > static_cast<int>(seeds));
    BOOST_TEST(sum.releases > static_cast<int>(seeds / 2));
    // A late copy of an acquisition looks like a renewal by another process: the lease is lost, and nothing else.
    if (how.cloned == 0) BOOST_TEST(sum.unexplained <= static_cast<int>(seeds / 20));
    // The fault_profile must have done something.
    BOOST_TEST(sum.lost_leases > 0);
    if (how.lost > 0 || how.failovers > 0) BOOST_TEST(sum.unknown > 0);
    BOOST_TEST(sum.fenced + sum.unknown > 0);
}

}  // namespace

BOOST_AUTO_TEST_CASE(one_holder_without_faults) {
    for (std::uint32_t seed = 1; seed <= 10; ++seed) {
        auto const got = run({}, 1, seed);
        BOOST_TEST(got.violations.empty());
        BOOST_TEST(got.commits > 100);
        BOOST_TEST(got.unknown + got.fenced + got.lost_leases == 0);
    }
}

BOOST_AUTO_TEST_CASE(late_copies) { run_all({.lost = 20, .late = 40, .very_late = 10, .cut = 200}, 2, 60); }

BOOST_AUTO_TEST_CASE(paused_holders) { run_all({.late = 20, .very_late = 10, .paused = 10}, 3, 80); }

BOOST_AUTO_TEST_CASE(failovers_and_stale_reads) { run_all({.stale = 150, .failovers = 100, .slow = 10}, 3, 50); }

BOOST_AUTO_TEST_CASE(stale_reads_of_leases) { run_all({.paused = 20, .stale = 300}, 3, 60); }

/// Expiries are up to an hour ahead then.
BOOST_AUTO_TEST_CASE(server_clock_jumps) { run_all({.paused = 10, .frozen = 5, .server_clock = 100}, 3, 60); }

BOOST_AUTO_TEST_CASE(cloned_machines) {
    int unexplained = 0;
    for (std::uint32_t seed = 1; seed <= 60; ++seed) {
        auto const got = run({.late = 10, .cloned = 100}, 2, seed);
        for (auto const& each : got.violations) BOOST_ERROR("seed " << seed << ": " << each);
        unexplained += got.unexplained;
    }
    BOOST_TEST(unexplained > 0);
}

BOOST_AUTO_TEST_CASE(all_faults) {
    run_all({.lost = 20, .late = 20, .very_late = 8, .paused = 5, .stale = 40, .failovers = 60, .slow = 10, .cut = 200},
            3, 100);
}

BOOST_AUTO_TEST_SUITE_END()
