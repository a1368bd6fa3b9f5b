// Random histories of one log on a replica set: whatever the network, the servers and the processes do, the log stays
// whole and nobody is told what is not so.

#include <boost/test/unit_test.hpp>
#include <memory>

#include "mongo_model/process.hpp"
#include "mongo_model/seeds.hpp"

using namespace mongo_model;  // NOLINT(google-build-using-namespace)

BOOST_AUTO_TEST_SUITE(mongo_model_appending)

namespace {

struct run_of {
    fault_profile how;
    int processes = 3;
    moment length = 60'000;
    bool trims = true;
    bool deletes = false;
};

struct outcome {
    ledger told;
    std::vector<record> history;
    std::vector<std::string> violations;
};

void check(ledger const& told, cluster& log) {
    auto const& history = log.history();
    std::map<int, std::vector<record const*>> by_content;
    for (auto const& each : history)
        if (each.content != 0) by_content[each.content].push_back(&each);
    for (auto const& [content, batch] : told.done) {
        auto const times = by_content[content].size();
        if (times == 0 || (times > 1 && !told.cloned.contains(content)))
            log.violation(batch + " was reported as stored and is there " + std::to_string(times) + " times");
    }
    for (auto const& [content, found] : by_content)
        if (found.size() > 1 && !told.cloned.contains(content))
            log.violation(found.front()->batch + " is there " + std::to_string(found.size()) + " times");
    // Of one that was begun again after an unknown outcome, only that nothing came of it later.
    for (auto const& [content, length] : told.failed)
        for (auto const* each : by_content[content])
            if (!told.cloned.contains(content) &&
                (!told.repeated.contains(content) || each->where.number >= static_cast<std::int64_t>(length)))
                log.violation(each->batch + " was reported as failed and is there");
    for (auto const& [until, end] : told.seals)
        for (auto at = static_cast<std::size_t>(end); at < history.size(); ++at)
            if (history[at].where.created < until) log.violation("an older record behind a seal");
}

outcome run(run_of const& what, std::uint32_t seed) {
    timeline time(seed);
    fault_profile how = what.how;
    cluster log(time, how);
    outcome out;
    std::function<void()> const second = [&] {
        if (time.chance(how.failovers)) log.fail_over();
        if (time.chance(how.server_clock)) log.set_clock();
        time.after(1'000, second);
    };
    time.after(500, second);
    std::vector<std::unique_ptr<process>> all;
    for (int i = 0; i < what.processes; ++i) {
        all.push_back(std::make_unique<process>(time, how, log, out.told, std::string(1, static_cast<char>('a' + i))));
        all.back()->start(what.length, what.trims, what.deletes);
    }
    time.run_until(what.length);
    how.failovers = 0;
    time.run_until(what.length + 150'000);  // and what is late
    check(out.told, log);
    out.history = log.history();
    out.violations = log.violations();
    return out;
}

void run_all(run_of const& what, std::uint32_t seeds) {
    std::size_t records = 0;
    std::size_t done = 0;
    int unknown = 0;
    int broken = 0;
    seeds = for_each_seed(seeds, [&](std::uint32_t seed) {
        auto const got = run(what, seed);
        records += got.history.size();
        done += got.told.done.size();
        unknown += got.told.unknown;
        for (std::size_t i = 0; i < got.violations.size() && i < 4; ++i)
            BOOST_ERROR("seed " << seed << ": " << got.violations[i]);
        return got.violations.empty() || ++broken < 3;
    });
    BOOST_TEST_MESSAGE(seeds << " seeds, " << records << " records, " << done << " reported, " << unknown
                             << " unknown");
    BOOST_TEST(done > seeds);
    BOOST_TEST(unknown > 0);  // the fault_profile must have done something
}

constexpr fault_profile fair{};
constexpr fault_profile foul{.lost = 20,
                             .late = 20,
                             .very_late = 8,
                             .paused = 5,
                             .stale = 40,
                             .failovers = 60,
                             .slow = 10,
                             .cut = 200,
                             .clock_set = 100,
                             .frozen = 3,
                             .cloned = 5,
                             .server_clock = 20};

}  // namespace

BOOST_AUTO_TEST_CASE(one_writer_without_faults) {
    for (std::uint32_t seed = 1; seed <= 20; ++seed) {
        auto const got = run({.how = fair, .processes = 1, .trims = false}, seed);
        BOOST_TEST(got.violations.empty());
        BOOST_TEST(got.told.unknown == 0);
        BOOST_TEST(got.told.failed.empty());
        BOOST_TEST(got.told.most_steps <= 4);  // look, insert, read the floor, done
    }
}

BOOST_AUTO_TEST_CASE(several_writers_without_faults) {
    for (std::uint32_t seed = 1; seed <= 20; ++seed) {
        auto const got = run({.how = fair, .processes = 4}, seed);
        BOOST_TEST(got.violations.empty());
        BOOST_TEST(got.told.most_steps <= 60);
    }
}

BOOST_AUTO_TEST_CASE(paused_processes) {
    auto how = fair;
    how.paused = 10;
    how.late = 20;
    how.very_late = 20;
    run_all({.how = how, .processes = 3}, 400);
}

// A snapshot is taken, or the machine moves to another host: no clock of its own tells of it.
BOOST_AUTO_TEST_CASE(paused_machines) {
    auto how = fair;
    how.frozen = 10;
    how.late = 20;
    how.very_late = 20;
    run_all({.how = how, .processes = 3}, 300);
}

BOOST_AUTO_TEST_CASE(cloned_machines) {
    auto how = fair;
    how.cloned = 60;
    how.frozen = 5;
    how.late = 20;
    run_all({.how = how, .processes = 2}, 300);
}

BOOST_AUTO_TEST_CASE(server_clock_jumps) {
    auto how = fair;
    how.frozen = 10;
    how.failovers = 20;
    how.server_clock = 100;
    run_all({.how = how, .processes = 3}, 200);
}

BOOST_AUTO_TEST_CASE(failovers_and_stale_reads) {
    auto how = fair;
    how.stale = 150;
    how.failovers = 100;
    how.slow = 10;
    run_all({.how = how, .processes = 3}, 200);
}

BOOST_AUTO_TEST_CASE(all_faults) { run_all({.how = foul, .processes = 4}, 300); }

BOOST_AUTO_TEST_CASE(deleted_stream) { run_all({.how = foul, .processes = 3, .deletes = true}, 250); }

BOOST_AUTO_TEST_SUITE_END()
