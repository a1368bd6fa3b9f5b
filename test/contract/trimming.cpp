#include "contract/stores.hpp"
#include "store/rules.hpp"
#include "windowing/progress_tracker.hpp"

using namespace minibatch;
using namespace minibatch::test;

BOOST_AUTO_TEST_SUITE(trimming)

namespace {

void advance(rig const& r, group_id const& group, std::int64_t low) {
    auto got = r.acquire(group, "a");
    got.state.low = low;
    r.commit(group, got.held.epoch, got.state);
}

using losses = std::vector<std::pair<std::string, std::int64_t>>;

}  // namespace

BOOST_DATA_TEST_CASE(behind_all_groups, every_store(), kind) {
    rig r(kind);
    auto const log = r.make();
    BOOST_TEST(r.trim(log).removed == 0);
    for (int i = 0; i < 5; ++i) r.append(log, 2);
    BOOST_TEST(r.trim(log).removed == 0);  // no group yet
    r.enroll(log, "a");
    r.enroll(log, "b");
    advance(r, {log, "a"}, 10);
    BOOST_TEST(r.trim(log).removed == 0);
    advance(r, {log, "b"}, 5);
    auto const bytes = r.state(log).bytes;
    auto const trimmed = r.trim(log);
    BOOST_TEST(trimmed.removed == 2);  // whole records
    BOOST_TEST((trimmed.floor == log_position{2, 4}));
    BOOST_TEST(trimmed.lost.empty());
    BOOST_TEST(!trimmed.more);
    BOOST_TEST((r.state(log).floor == trimmed.floor));
    BOOST_TEST(r.state(log).bytes * 5 == bytes * 3);
    BOOST_TEST(r.read(log, 0).records.front()->number() == 2);
    BOOST_TEST(r.db->locate(log, 1, soon()) == 2);
    BOOST_TEST(r.enroll(log, "new").state.low == 4);
    advance(r, {log, "b"}, 10);
    advance(r, {log, "new"}, 10);
    auto const one = r.trim(log, 1);
    BOOST_TEST(one.removed == 1);
    BOOST_TEST(one.more);
    auto const rest = r.trim(log);
    BOOST_TEST(rest.removed == 1);  // the last record stays
    BOOST_TEST((rest.floor == log_position{4, 8}));
    BOOST_TEST(!rest.more);
    BOOST_TEST(r.trim(log).removed == 0);
    BOOST_TEST(r.append(log).first == 10);
}

BOOST_DATA_TEST_CASE(a_group_that_keeps, every_store(), kind) {
    rig r(kind);
    auto const log = r.make();
    for (int i = 0; i < 5; ++i) r.append(log, 2);
    r.enroll(log, "a");
    r.enroll(log, "b", true);
    advance(r, {log, "a"}, 10);
    advance(r, {log, "b"}, 10);
    BOOST_TEST(r.trim(log).removed == 0);
    r.enroll(log, "b", false);
    BOOST_TEST(r.trim(log).removed == 4);
}

BOOST_DATA_TEST_CASE(retention_counts_losses, every_store(), kind) {
    rig r(kind);
    auto const log = r.make("s", retention{.max_age = {}, .max_messages = 5, .max_bytes = {}});
    for (int i = 0; i < 5; ++i) r.append(log, 2);
    r.enroll(log, "a", true);
    auto got = r.acquire({log, "a"}, "a");
    got.state.low = 1;
    got.state.committed = {{2, 3}};
    r.commit({log, "a"}, got.held.epoch, got.state);
    r.enroll(log, "b", true, start_position::latest);
    auto const trimmed = r.trim(log);
    BOOST_TEST((trimmed.floor == log_position{2, 4}));  // the newest five stay, with the rest of their record
    BOOST_TEST((trimmed.lost == losses{{"a", 2}}));
    BOOST_TEST(r.trim(log).lost.empty());
}

BOOST_DATA_TEST_CASE(lag_and_lost, every_store(), kind) {
    struct row {
        char const* what;
        std::int64_t low;
        std::vector<offset_range> committed;
        std::int64_t left;  // of 100 messages
        bool cleared;       // the rest was removed on request, not by retention
        rules::backlog expected;
    };
    std::vector<row> const rows{
        {"nothing committed, nothing removed", 0, {}, 100, false, {100, 0}},
        {"a gap above low", 0, {{10, 20}}, 100, false, {90, 0}},
        {"retention below low", 70, {{80, 90}}, 40, false, {20, 0}},
        {"retention up to low", 60, {{70, 80}}, 40, false, {30, 0}},
        {"retention passes low", 50, {{70, 80}}, 40, false, {30, 10}},
        {"retention passes a gap", 0, {{10, 20}}, 40, false, {40, 50}},
        {"retention ends in a committed range", 0, {{50, 70}}, 40, false, {30, 50}},
        {"retention passes several gaps", 5, {{10, 20}, {30, 62}, {99, 100}}, 40, false, {37, 15}},
        {"all committed", 100, {}, 40, false, {0, 0}},
        {"a gap that was cleared", 0, {{10, 20}}, 0, true, {0, 0}}};
    for (auto const& each : rows) {
        BOOST_TEST_CONTEXT(each.what) {
            rig r(kind);
            auto const log = r.make("s", retention{.max_age = {}, .max_messages = each.left, .max_bytes = {}});
            for (int i = 0; i < 10; ++i) r.append(log, 10);
            group_id const group{log, "g"};
            r.enroll(log, "g", true);
            auto got = r.acquire(group, "a");
            got.state.low = each.low;
            got.state.low_number = each.low / 10;
            got.state.committed = each.committed;
            r.commit(group, got.held.epoch, got.state);
            trim_result trimmed;
            if (each.cleared)
                r.db->clear_stream(log.incarnation, soon());
            else
                trimmed = r.trim(log);
            auto const stored = r.db->list_groups(log.incarnation, soon()).at(0).state;
            auto const found = rules::backlog_of(stored, r.state(log));
            BOOST_TEST(found.lag == each.expected.lag);
            BOOST_TEST(found.lost == each.expected.lost);
            BOOST_TEST((trimmed.lost == (found.lost > 0 ? losses{{"g", found.lost}} : losses{})));
            // The holder comes to the same when it steps over what is gone.
            windowing::progress_tracker tracker(stored);
            auto const log_now = r.state(log);
            BOOST_TEST(tracker.retention_floor(log_now.floor.offset, log_now.floor.number, log_now.cleared) ==
                       each.expected.lost);
            auto const stepped = rules::backlog_of(tracker.snapshot(), log_now);
            BOOST_TEST((stepped == each.expected));
        }
    }
}

BOOST_DATA_TEST_CASE(progress_is_left_alone, every_store(), kind) {
    rig r(kind);
    auto const log = r.make("s", retention{.max_age = {}, .max_messages = 2, .max_bytes = {}});
    for (int i = 0; i < 5; ++i) r.append(log, 2);
    r.enroll(log, "a");
    auto got = r.acquire({log, "a"}, "a");
    got.state.low = 1;
    got.state.committed = {{3, 5}};
    got.state.recorded = {{{{1, 2}}, 7, 8, window_reason::flush, {}}};
    r.commit({log, "a"}, got.held.epoch, got.state);
    auto const stored = [&] { return r.db->list_groups(log.incarnation, soon()).at(0).state; };
    BOOST_TEST((r.trim(log).lost == losses{{"a", 5}}));
    BOOST_TEST((stored() == got.state));
    r.db->clear_stream(log.incarnation, soon());
    BOOST_TEST((stored() == got.state));
    got.state.failures = {{1, 1}};
    r.commit({log, "a"}, got.held.epoch, got.state);  // by the holder, who has not read the log since
    BOOST_TEST((stored() == got.state));
}

BOOST_DATA_TEST_CASE(retention_by_bytes_and_age, every_store(), kind) {
    rig r(kind);
    auto const bytes = r.make("bytes", retention{.max_age = {}, .max_messages = {}, .max_bytes = 2 * 18 + 1});
    for (int i = 0; i < 5; ++i) r.append(bytes, 2);
    BOOST_TEST(r.trim(bytes).removed == 2);
    BOOST_TEST(r.state(bytes).bytes == 3 * 18);
    auto const age = r.make("age", retention{.max_age = milliseconds(100), .max_messages = {}, .max_bytes = {}});
    for (int i = 0; i < 5; ++i) {
        r.append(age);
        r.time->time += 50;
    }
    BOOST_TEST(r.trim(age).removed == 3);
    r.time->time += 1'000;
    BOOST_TEST(r.trim(age).removed == 1);
    BOOST_TEST(r.read(age).records.size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
