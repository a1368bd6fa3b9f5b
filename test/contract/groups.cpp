#include <latch>

#include "contract/stores.hpp"

using namespace minibatch;
using namespace minibatch::test;

BOOST_AUTO_TEST_SUITE(groups)

BOOST_DATA_TEST_CASE(registration, every_store(), kind) {
    rig r(kind);
    auto const log = r.make();
    BOOST_TEST((code_of([&] { r.enroll(log, "a b"); }) == errc::invalid_name));
    BOOST_TEST(r.enroll(log, "early").state.start_time == 1'000'000);
    r.append(log, 2);
    r.time->time = 1'000'100;
    r.append(log, 3);
    auto const earliest = r.enroll(log);
    BOOST_TEST(earliest.state.low == 0);
    BOOST_TEST(earliest.state.start_time == 1'000'000);
    BOOST_TEST(!earliest.held.held());
    auto const latest = r.enroll(log, "latest", true, start_position::latest);
    BOOST_TEST(latest.state.low == 5);
    BOOST_TEST(latest.state.low_number == 2);
    BOOST_TEST(latest.state.start_time == 1'000'100);
    BOOST_TEST(latest.state.keep);
    r.append(log);
    auto const again = r.enroll(log, "latest", false, start_position::earliest);
    BOOST_TEST(again.state.low == 5);
    BOOST_TEST(!again.state.keep);
    auto const all = r.db->list_groups(log.incarnation, soon());
    BOOST_REQUIRE(all.size() == 3U);
    BOOST_TEST(all[0].id.group == "early");
    BOOST_TEST(all[2].id.group == "latest");
    BOOST_TEST((all[2].state == again.state));
    r.time->time = 1'000'200;
    r.seal(log, 1'000'150);
    BOOST_TEST(r.enroll(log, "after", false, start_position::latest).state.low_number == 4);
}

BOOST_DATA_TEST_CASE(leases, every_store(), kind) {
    rig r(kind);
    auto const log = r.make();
    group_id const g{log, "g"};
    BOOST_TEST((code_of([&] { r.acquire(g, "a"); }) == errc::group_not_found));
    r.enroll(log);
    auto const a = r.acquire(g, "a");
    BOOST_TEST(a.granted);
    BOOST_TEST(a.held.epoch == 1);
    BOOST_TEST(a.held.owner == "owner of a");
    BOOST_TEST(a.held.expires == 1'010'000);
    auto const counts_renewals = kind != "mongo";  // its comparisons are by time
    if (counts_renewals) BOOST_TEST(a.held.length.count() == 10'000);
    BOOST_TEST(a.state.takeovers == 0);
    auto const refused = r.acquire(g, "b");
    BOOST_TEST(!refused.granted);
    BOOST_TEST((refused.held == a.held));
    r.time->time = 1'000'500;
    auto const repeated = r.acquire(g, "a");
    BOOST_TEST(repeated.granted);
    BOOST_TEST(repeated.held.epoch == 1);
    BOOST_TEST(repeated.state.takeovers == 0);
    // The lease has changed since the standby saw it; the second time it has not.
    BOOST_TEST(!r.acquire(g, "b", a.held).granted);
    auto const b = r.acquire(g, "b", repeated.held);
    BOOST_TEST(b.granted);
    BOOST_TEST(b.held.epoch == 2);
    BOOST_TEST(b.state.takeovers == 1);
    BOOST_TEST((code_of([&] { r.write<done>(renew_request{g, 1, milliseconds(5)}); }) == errc::fenced));
    BOOST_TEST((code_of([&] { r.write<done>(release_request{g, 1}); }) == errc::fenced));
    BOOST_TEST((code_of([&] { r.commit(g, 1, a.state); }) == errc::fenced));
    r.time->time = 1'010'499;
    BOOST_TEST(!r.acquire(g, "c").granted);
    r.time->time = 1'010'500;
    r.write<done>(renew_request{g, 2, milliseconds(1'000)});  // after its expiry
    BOOST_TEST(!r.acquire(g, "c").granted);
    r.time->time = 1'011'500;
    auto c = r.acquire(g, "c");
    BOOST_TEST(c.granted == r.db->tune().expiry_counts);
    if (!c.granted) c = r.acquire(g, "c", c.held);
    BOOST_TEST(c.granted);
    BOOST_TEST(c.held.epoch == 3);
    BOOST_TEST(c.state.takeovers == 2);
    r.write<done>(release_request{g, 3});
    auto const d = r.acquire(g, "d");
    BOOST_TEST(d.granted);
    BOOST_TEST(d.held.epoch == 4);
    BOOST_TEST(d.state.takeovers == 2);  // released, not taken
}

BOOST_DATA_TEST_CASE(clocks_do_not_end_leases, every_store(), kind) {
    constexpr time_ms hour = 3'600'000;
    for (auto const jump : {-hour, time_ms{0}, hour}) {
        BOOST_TEST_CONTEXT("the clock is set by " << jump << " ms") {
            rig r(kind);
            if (r.db->tune().expiry_counts) continue;
            auto const log = r.make();
            group_id const g{log, "g"};
            r.enroll(log);
            auto const a = r.acquire(g, "a");
            r.time->time += jump;
            BOOST_TEST(!r.acquire(g, "b").granted);
            // Renewed while the clock stood still, the record has changed all the same.
            auto const before = r.db->list_groups(log.incarnation, soon()).at(0).held;
            r.write<done>(renew_request{g, 1, milliseconds(10'000)});
            auto const after = r.db->list_groups(log.incarnation, soon()).at(0).held;
            BOOST_TEST(after.renewals == before.renewals + 1);
            BOOST_TEST(!after.unchanged_since(before));
            BOOST_TEST(!r.acquire(g, "b", before).granted);
            BOOST_TEST(!r.acquire(g, "b", a.held).granted);
            r.time->time += jump;
            auto const b = r.acquire(g, "b", after);
            BOOST_TEST(b.granted);
            BOOST_TEST(b.held.epoch == 2);
            BOOST_TEST((code_of([&] { r.db->delete_group(log.incarnation, "g", soon()); }) == errc::group_in_use));
            partition_lease const other{0, after};
            BOOST_TEST((code_of([&] {
                            r.db->delete_group(log.incarnation, "g", soon(), {&other, 1});
                        }) == errc::group_in_use));
            partition_lease const ended{0, b.held};
            BOOST_TEST(r.db->delete_group(log.incarnation, "g", soon(), {&ended, 1}));
        }
    }
}

BOOST_DATA_TEST_CASE(after_a_release, every_store(), kind) {
    rig r(kind);
    auto const log = r.make();
    group_id const g{log, "g"};
    r.append(log, 3);
    r.enroll(log);
    auto state = r.acquire(g, "a").state;
    r.write<done>(release_request{g, 1});
    r.write<done>(release_request{g, 1});  // a repetition, as after a lost answer
    BOOST_TEST((code_of([&] { r.write<done>(renew_request{g, 1, milliseconds(5)}); }) == errc::fenced));
    state.low = 2;
    r.commit(g, 1, state);  // its epoch is the current one until the next acquisition
    auto const b = r.acquire(g, "b");
    BOOST_TEST(b.held.epoch == 2);
    BOOST_TEST(b.state.low == 2);
    BOOST_TEST((code_of([&] { r.write<done>(release_request{g, 1}); }) == errc::fenced));
    acquire_request const good{g, "owner", "c", milliseconds(1), {}};
    for (auto spoil :
         {+[](acquire_request& it) { it.owner.clear(); }, +[](acquire_request& it) { it.acquisition.clear(); },
          +[](acquire_request& it) { it.duration = milliseconds(0); }}) {
        auto bad = good;
        spoil(bad);
        BOOST_TEST((code_of([&] { r.write<acquire_result>(bad); }) == errc::invalid_argument));
    }
}

BOOST_DATA_TEST_CASE(commits_move_forward, every_store(), kind) {
    rig r(kind);
    auto const log = r.make();
    group_id const g{log, "g"};
    r.append(log, 10);
    r.enroll(log);
    auto state = r.acquire(g, "a").state;
    state.low = 3;
    state.low_number = 0;
    state.committed = {{5, 6}, {8, 9}};
    state.windows_end = 1'234;
    state.recorded = {{{{4, 5}, {3, 4}}, 7, 8, window_reason::flush, 99}, {{}, 1, 2, window_reason::time, {}}};
    state.failures = {{3, 2}};
    state.windows_done = {{1'300, 1'400}, {1'500, 1'700}};
    state.empty_failures = {{1'400, 3}};
    state.lost = 4;
    state.keep = true;
    r.time->time = 9'000'000;  // long expired: only the epoch counts
    r.commit(g, 1, state);
    r.commit(g, 1, state);
    BOOST_TEST((r.enroll(log, "g", true).state == state));
    BOOST_TEST((r.another()->list_groups(log.incarnation, soon()).at(0).state == state));
    auto back = state;
    back.low = 2;
    BOOST_TEST((code_of([&] { r.commit(g, 1, back); }) == errc::fenced));
    auto bad = state;
    bad.committed = {{8, 9}, {5, 6}};
    BOOST_TEST((code_of([&] { r.commit(g, 1, bad); }) == errc::invalid_argument));
    bad.committed.assign(max_ranges + 1, {});
    for (std::size_t i = 0; i < bad.committed.size(); ++i)
        bad.committed[i] = {static_cast<std::int64_t>(10 + 2 * i), static_cast<std::int64_t>(11 + 2 * i)};
    BOOST_TEST((code_of([&] { r.commit(g, 1, bad); }) == errc::too_many_ranges));
    bad.committed.pop_back();
    BOOST_TEST((code_of([&] { r.commit(g, 1, bad); }) == errc::too_many_ranges));  // with those of the windows
    BOOST_TEST((r.enroll(log, "g", true).state == state));
}

BOOST_DATA_TEST_CASE(commits_with_writes_are_atomic, every_store(), kind) {
    using kinds = document_write::kind;
    rig r(kind);
    auto const log = r.make();
    auto const target = r.make("target");
    group_id const g{log, "g"};
    r.append(log, 10);
    r.enroll(log);
    auto state = r.acquire(g, "a").state;
    state.low = 1;
    std::vector<document_write> const writes{{kinds::insert, "c", "", 0, "{\"a\":1}"},
                                             {kinds::upsert, "c", "k", 0, "{\"a\":2}"},
                                             {kinds::append, "target", "", 0, "{\"a\":3}"}};
    r.commit(g, 1, state, writes);
    r.commit(g, 1, state, writes);  // a repetition writes nothing twice
    state.low = 2;
    r.commit(g, 1, state, {{kinds::upsert, "c", "k", 0, "{\"a\":4}"}, {kinds::insert, "c", "", 0, "{\"a\":5}"}});
    using documents = std::vector<std::pair<std::string, std::string>>;
    documents const expected{{"", "{\"a\":1}"}, {"k", "{\"a\":4}"}, {"", "{\"a\":5}"}};
    BOOST_TEST((r.db->read_collection("c", soon()) == expected));
    BOOST_TEST(r.db->read_collection("d", soon()).empty());
    BOOST_TEST(r.read(target).records.at(0)->document(0) == "{\"a\":3}");
    // An error in the last write also discards the first write and the progress.
    state.low = 3;
    document_write const good{kinds::insert, "c", "", 0, "{}"};
    std::vector<std::pair<document_write, errc>> const wrong{
        {{kinds::append, "nowhere", "", 0, "{}"}, errc::stream_not_found},
        {{kinds::append, "target", "", 1, "{}"}, errc::invalid_argument},
        {{kinds::upsert, "c", "", 0, "{}"}, errc::invalid_argument},
        {{kinds::insert, "c c", "", 0, "{}"}, errc::invalid_name},
        {{kinds::insert, "c", "", 0, "[]"}, errc::invalid_argument}};
    for (auto const& [write, code] : wrong) {
        BOOST_TEST((code_of([&] { r.commit(g, 1, state, {good, write}); }) == code), write.target);
        BOOST_TEST(r.db->list_groups(log.incarnation, soon()).at(0).state.low == 2);
        BOOST_TEST((r.db->read_collection("c", soon()) == expected));
    }
    BOOST_TEST((code_of([&] { r.commit(g, 0, state, {good}); }) == errc::fenced));
    BOOST_TEST((r.db->read_collection("c", soon()) == expected));
}

BOOST_DATA_TEST_CASE(deletion, every_store(), kind) {
    rig r(kind);
    auto const log = r.make();
    group_id const g{log, "g"};
    BOOST_TEST(!r.db->delete_group(log.incarnation, "g", soon()));
    r.enroll(log);
    auto const a = r.acquire(g, "a");
    BOOST_TEST((code_of([&] { r.db->delete_group(log.incarnation, "g", soon()); }) == errc::group_in_use));
    r.time->time = 1'010'000;
    partition_lease const ended{0, a.held};
    BOOST_TEST(r.db->delete_group(log.incarnation, "g", soon(), {&ended, 1}));
    BOOST_TEST((code_of([&] { r.commit(g, 1, {}); }) == errc::group_not_found));
    r.enroll(log);
    // The old holder is fenced even before there is a new one.
    BOOST_TEST((code_of([&] { r.commit(g, 1, {}); }) == errc::fenced));
    BOOST_TEST(r.acquire(g, "b").held.epoch == 3);
    BOOST_TEST((code_of([&] { r.commit(g, 1, {}); }) == errc::fenced));
}

BOOST_DATA_TEST_CASE(watching, every_store(), kind) {
    rig r(kind);
    auto const log = r.make();
    auto const other = r.another();
    std::latch woken(1);
    std::atomic<int> own = 0;
    std::atomic<bool> told = false;
    auto const mine = r.db->watch([&] { ++own; });
    auto const theirs = other->watch([&] {
        if (!told.exchange(true)) woken.count_down();
    });
    r.append(log);
    woken.wait();
    // A change stream that starts after the first writes calls back once. It may also report a write before its answer
    // arrives.
    BOOST_TEST(own <= (kind == "mongo" ? 2 : 0));
}

BOOST_AUTO_TEST_SUITE_END()
