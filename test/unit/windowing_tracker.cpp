#include <boost/test/unit_test.hpp>

#include "windowing/progress_tracker.hpp"
#include "windowing_support.hpp"

using namespace windowing_test;  // NOLINT(google-build-using-namespace)

BOOST_AUTO_TEST_SUITE(windowing_tracker)

namespace {

using times = std::vector<store::time_range>;

cut window_of(ranges offsets, bool rebuildable = true) {
    cut made;
    made.offsets = std::move(offsets);
    made.rebuildable = rebuildable;
    for (auto const& each : made.offsets) {
        made.first = made.first < 0 ? each.begin : std::min(made.first, each.begin);
        made.last = std::max(made.last, each.end - 1);
    }
    return made;
}

cut time_window(ranges offsets, time_ms end) {
    auto made = window_of(std::move(offsets));
    made.start = end - 100;
    made.end = end;
    made.windows_end = end;
    return made;
}

}  // namespace

BOOST_AUTO_TEST_CASE(low_follows_what_is_contiguous) {
    progress_tracker tracker({});
    for (int i = 0; i < 4; ++i) tracker.note_record(*make_segment(i, i * 10, 10, 1));
    tracker.note_record(*make_segment(4, 40, 0, 1));
    auto const a = tracker.open(window_of({{0, 15}}));
    auto const b = tracker.open(window_of({{15, 30}}));
    auto const c = tracker.open(window_of({{30, 40}}));
    tracker.commit(b);
    auto saved = tracker.snapshot();
    BOOST_TEST(saved.low == 0);
    BOOST_TEST((saved.committed == ranges{{15, 30}}));
    tracker.saved(b);
    tracker.commit(a);
    saved = tracker.snapshot();
    BOOST_TEST(saved.low == 30);
    BOOST_TEST(saved.low_number == 3);
    BOOST_TEST(saved.committed.empty());
    tracker.uncommit(a);
    BOOST_TEST(tracker.snapshot().low == 0);
    BOOST_TEST(tracker.snapshot().low_number == 0);
    tracker.commit(a);
    tracker.commit(c);
    tracker.saved(c);
    tracker.saved(a);
    saved = tracker.snapshot();
    BOOST_TEST(saved.low == 40);
    BOOST_TEST(saved.low_number == 5);  // past the control record
    BOOST_TEST(tracker.open_windows() == 0u);
}

BOOST_AUTO_TEST_CASE(attempts_count_failures_and_takeovers) {
    store::progress from;
    from.takeovers = 2;
    from.failures = {{0, 1}, {10, 4}};
    progress_tracker tracker(from);
    auto const a = tracker.open(window_of({{0, 10}}));
    BOOST_TEST(tracker.attempt(a) == 4);
    tracker.fail(a);
    BOOST_TEST(tracker.attempt(a) == 5);
    BOOST_TEST((tracker.snapshot().failures == std::vector<store::window_failures>{{0, 2}, {10, 4}}));
    BOOST_TEST(tracker.snapshot().takeovers == 2);
    tracker.commit(a);
    BOOST_TEST(tracker.snapshot().takeovers == 0);
    BOOST_TEST((tracker.snapshot().failures == std::vector<store::window_failures>{{10, 4}}));
    tracker.saved(a);
    auto const b = tracker.open(window_of({{10, 20}}));
    BOOST_TEST(tracker.attempt(b) == 5);
}

BOOST_AUTO_TEST_CASE(open_windows_that_cannot_be_rebuilt_are_recorded) {
    store::progress from;
    from.recorded = {{{{4, 6}, {2, 3}}, 1, 2, window_reason::custom, {}}};
    progress_tracker tracker(from);
    BOOST_TEST((tracker.snapshot() == from));
    auto const a = tracker.open(window_of({{0, 1}}, false));
    auto const found = tracker.open([] {
        auto made = window_of({{4, 6}, {2, 3}}, false);
        made.start = 1;
        made.end = 2;
        return made;
    }());
    auto saved = tracker.snapshot();
    BOOST_REQUIRE(saved.recorded.size() == 2);
    BOOST_TEST((saved.recorded[1] == from.recorded[0]));
    tracker.commit(found);
    saved = tracker.snapshot();
    BOOST_TEST(saved.recorded.size() == 1u);
    BOOST_TEST((saved.committed == ranges{{2, 3}, {4, 6}}));
    tracker.commit(a);
    BOOST_TEST(tracker.snapshot().low == 1);
    BOOST_TEST(tracker.snapshot().recorded.empty());
}

BOOST_AUTO_TEST_CASE(time_windows_end_where_all_before_are_done) {
    progress_tracker tracker({});
    tracker.note_record(*make_segment(0, 0, 5, 50));
    tracker.note_record(*make_segment(1, 5, 4, 250));
    auto const a = tracker.open(time_window({{0, 5}}, 100));
    auto const empty = tracker.open(time_window({}, 200));
    auto const c = tracker.open(time_window({{5, 9}}, 300));
    tracker.commit(c);
    tracker.saved(c);
    BOOST_TEST(!tracker.snapshot().windows_end);
    BOOST_TEST((tracker.snapshot().windows_done == times{{200, 300}}));
    tracker.commit(a);
    auto saved = tracker.snapshot();
    BOOST_TEST(saved.windows_end.value() == 100);
    BOOST_TEST(saved.low == 9);
    BOOST_TEST((saved.windows_done == times{{200, 300}}));

    progress_tracker after_crash(saved);
    BOOST_TEST((after_crash.snapshot() == saved));
    auto const again = after_crash.open(time_window({}, 200));
    after_crash.commit(again);
    BOOST_TEST(after_crash.snapshot().windows_end.value() == 300);
    BOOST_TEST(after_crash.snapshot().windows_done.empty());
    after_crash.uncommit(again);
    BOOST_TEST((after_crash.snapshot() == saved));

    tracker.commit(empty);
    saved = tracker.snapshot();
    BOOST_TEST(saved.windows_end.value() == 300);
    BOOST_TEST(saved.low == 9);
}

BOOST_AUTO_TEST_CASE(committed_time_windows_take_no_room) {
    progress_tracker tracker({});
    auto const stuck = tracker.open(time_window({}, 100));
    std::vector<progress_tracker::handle> unsaved;
    for (time_ms end = 200; end <= 100'000; end += 100) {
        unsaved.push_back(tracker.open(time_window({}, end)));
        tracker.commit(unsaved.back());
        if (unsaved.size() < 3) continue;
        for (auto const each : {1, 0, 2}) tracker.saved(unsaved[static_cast<std::size_t>(each)]);
        unsaved.clear();
    }
    BOOST_TEST((tracker.snapshot().windows_done == times{{100, 100'000}}));
    BOOST_TEST(tracker.time_windows() == 2u);
    tracker.commit(stuck);
    BOOST_TEST(tracker.snapshot().windows_end.value() == 100'000);
}

BOOST_AUTO_TEST_CASE(failures_of_empty_windows_are_kept) {
    progress_tracker tracker({});
    auto const a = tracker.open(time_window({}, 100));
    auto const b = tracker.open(time_window({}, 200));
    tracker.fail(b);
    tracker.fail(b);
    auto const saved = tracker.snapshot();
    BOOST_TEST((saved.empty_failures == std::vector<store::window_failures>{{100, 2}}));

    progress_tracker after_crash(saved);
    BOOST_TEST(after_crash.attempt(after_crash.open(time_window({}, 100))) == 1);
    BOOST_TEST((after_crash.snapshot().empty_failures == saved.empty_failures));
    auto const again = after_crash.open(time_window({}, 200));
    BOOST_TEST(after_crash.attempt(again) == 3);
    after_crash.fail(again);
    BOOST_TEST((after_crash.snapshot().empty_failures == std::vector<store::window_failures>{{100, 3}}));

    tracker.commit(a);
    tracker.commit(b);
    BOOST_TEST(tracker.snapshot().empty_failures.empty());
}

BOOST_AUTO_TEST_CASE(removed_times_are_not_empty) {
    store::progress from;
    from.start_time = 50;
    progress_tracker tracker(from);
    auto const a = tracker.open(time_window({{0, 5}}, 100));
    tracker.open(time_window({{5, 9}}, 200));
    tracker.retention_floor(7, 1, 0);  // nothing is left of the first, something of the second
    BOOST_TEST((tracker.snapshot().windows_done == times{{0, 100}}));
    tracker.times_removed({INT64_MIN, 20});
    BOOST_TEST((tracker.snapshot().windows_done == times{{0, 100}}));
    tracker.times_removed({250, 420});
    BOOST_TEST((tracker.snapshot().windows_done == times{{0, 100}, {250, 420}}));
    tracker.commit(a);
    BOOST_TEST(tracker.snapshot().windows_end.value() == 100);
    for (time_ms at = 1000; at < 10'000; at += 2) tracker.times_removed({at, at + 1});
    BOOST_TEST(tracker.snapshot().windows_done.size() <= 1000u);
    BOOST_TEST(tracker.snapshot().windows_done.back().end == 9'999);
}

BOOST_AUTO_TEST_CASE(discards_need_no_window) {
    progress_tracker tracker({});
    tracker.discard(ranges{{0, 3}, {5, 6}});
    BOOST_TEST(tracker.snapshot().low == 3);
    auto made = window_of({{4, 5}}, false);
    made.discarded = {{3, 4}};
    auto const a = tracker.open(made);
    BOOST_TEST(tracker.snapshot().low == 4);
    tracker.commit(a);
    BOOST_TEST(tracker.snapshot().low == 6);
}

BOOST_AUTO_TEST_CASE(retention_counts_what_it_takes) {
    store::progress from;
    from.committed = {{10, 20}};
    from.recorded = {{{{22, 24}, {5, 7}}, 1, 2, window_reason::custom, {}}};
    progress_tracker tracker(from);
    tracker.note_record(*make_segment(0, 0, 30, 1));
    tracker.note_record(*make_segment(1, 30, 10, 1));
    auto const a = tracker.open(window_of({{0, 5}}));
    BOOST_TEST(tracker.retention_floor(23, 0, 0) == 13);
    auto saved = tracker.snapshot();
    BOOST_TEST(saved.low == 23);
    BOOST_TEST(saved.lost == 13);
    BOOST_REQUIRE(saved.recorded.size() == 1);
    BOOST_TEST((saved.recorded[0].offsets == ranges{{23, 24}}));
    tracker.commit(a);
    tracker.uncommit(a);  // must not bring back what is gone
    BOOST_TEST(tracker.snapshot().low == 23);
    BOOST_TEST(tracker.retention_floor(40, 2, 38) == 2);
    BOOST_TEST(tracker.retention_floor(40, 2, 38) == 0);
    BOOST_TEST(tracker.retention_floor(10, 2, 0) == 0);
    saved = tracker.snapshot();
    BOOST_TEST(saved.low == 40);
    BOOST_TEST(saved.low_number == 2);
    BOOST_TEST(saved.recorded.empty());
}

BOOST_AUTO_TEST_CASE(ranges_are_bounded) {
    progress_tracker tracker({});
    auto const limit = static_cast<std::int64_t>(store::max_ranges);
    progress_tracker::handle last = 0;
    for (std::int64_t i = 0; i <= limit; ++i) {
        last = tracker.open(window_of({{2 * i + 1, 2 * i + 2}}));
        if (i < limit) tracker.commit(last);
    }
    BOOST_CHECK_EXCEPTION(tracker.commit(last), error, fails_with(errc::too_many_ranges));
    BOOST_CHECK_EXCEPTION(tracker.open(window_of({{0, 1}}, false)), error, fails_with(errc::too_many_ranges));
    BOOST_TEST(tracker.snapshot().committed.size() == store::max_ranges);
    auto const fills = tracker.open(window_of({{0, 1}}));
    tracker.commit(fills);
    tracker.commit(last);  // there is room again
}

BOOST_AUTO_TEST_CASE(ranges_are_joined_and_parted) {
    range_set set;
    for (auto const& each : ranges{{10, 20}, {30, 40}, {20, 25}, {28, 30}, {5, 5}}) set.add(each);
    BOOST_TEST(set.size() == 2u);
    BOOST_TEST(set.contains(24));
    BOOST_TEST(!set.contains(25));
    BOOST_TEST(!set.contains(40));
    BOOST_TEST(set.count({0, 100}) == 27);
    BOOST_TEST(set.count({24, 29}) == 2);
    set.remove({15, 35});
    BOOST_TEST(set.count({0, 100}) == 10);
    set.add({0, 100});
    BOOST_TEST(set.size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
