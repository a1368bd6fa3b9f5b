#include "windowing/progress_tracker.hpp"

#include <algorithm>
#include <minibatch/error.hpp>
#include <string>

#include "store/rules.hpp"

namespace minibatch::windowing {
namespace {

std::int64_t end_of(std::vector<store::offset_range> const& ranges) {
    std::int64_t end = -1;
    for (auto const& each : ranges) end = std::max(end, each.end);
    return end;
}

std::int64_t first_of(store::recorded_window const& window) {
    if (window.offsets.empty()) return -1;
    return std::ranges::min_element(window.offsets, {}, &store::offset_range::begin)->begin;
}

bool same_window(store::recorded_window const& recorded, cut const& window) {
    // Retention may have removed messages, but only from the front.
    if (window.first < 0 || recorded.offsets.empty()) {
        return window.first < 0 && recorded.offsets.empty() && recorded.start == window.start &&
               recorded.end == window.end;
    }
    return end_of(recorded.offsets) == window.last + 1;
}

// False if nothing is left of a window that had messages.
bool clip(std::vector<store::offset_range>& offsets, std::int64_t low) {
    if (offsets.empty()) return true;
    for (auto& each : offsets) each.begin = std::max(each.begin, low);
    std::erase_if(offsets, [](auto const& each) { return each.begin >= each.end; });
    return !offsets.empty();
}

}  // namespace

progress_tracker::progress_tracker(store::progress from) : loaded_(std::move(from)) {
    done_.add({-1, loaded_.low});  // so that the first range always ends at the first offset that is not done
    for (auto const& each : loaded_.committed) done_.add(each);
    for (auto const& each : loaded_.recorded) recorded_ranges_ += each.offsets.size();
}

void progress_tracker::note_record(log::segment const& record) {
    auto const number = record.number();
    if (number < loaded_.low_number || (!records_.empty() && number <= records_.back().number)) return;
    records_.push_back({number, record.end()});
}

void progress_tracker::check_ranges(std::size_t more) const {
    auto const ranges = done_.size() - 1 + recorded_ranges_ + more;
    if (ranges > store::max_ranges) {
        throw error(errc::too_many_ranges, "the progress would have " + std::to_string(ranges) +
                                               " separate ranges of committed or open messages, more than " +
                                               std::to_string(store::max_ranges) + ": message " +
                                               std::to_string(low()) + " has been left open for too long");
    }
}

progress_tracker::handle progress_tracker::open(cut const& window) {
    auto const known =
        window.rebuildable
            ? loaded_.recorded.end()
            : std::ranges::find_if(loaded_.recorded, [&](auto const& each) { return same_window(each, window); });
    auto const is_known = known != loaded_.recorded.end();
    if (!is_known) check_ranges(window.discarded.size() + (window.rebuildable ? 0 : window.offsets.size()));

    entry made;
    made.window = window;
    made.window.slices.clear();
    auto first = window.first;
    if (is_known) {
        first = first_of(*known);
        recorded_ranges_ -= known->offsets.size();
        loaded_.recorded.erase(known);
    }
    if (!window.rebuildable) recorded_ranges_ += window.offsets.size();
    auto& failures = window.first < 0 ? loaded_.empty_failures : loaded_.failures;
    if (auto const failed =
            std::ranges::find(failures, window.first < 0 ? window.start : first, &store::window_failures::first);
        failed != failures.end()) {
        made.failures = failed->count;
        failures.erase(failed);
    }
    for (auto const& each : window.discarded) done_.add(each);
    if (!window.discarded.empty()) moved_ = true;
    auto const id = next_++;
    if (window.windows_end) time_windows_.push_back({id, {window.start, window.end}, *window.windows_end, false});
    windows_.emplace(id, std::move(made));
    return id;
}

void progress_tracker::discard(std::span<store::offset_range const> ranges) {
    check_ranges(ranges.size());
    for (auto const& each : ranges) done_.add(each);
    if (!ranges.empty()) moved_ = true;
}

void progress_tracker::commit(handle window) {
    auto& at = windows_.at(window);
    if (at.at == state::committed) return;
    auto const recorded = at.window.rebuildable ? 0 : at.window.offsets.size();
    for (auto const& each : at.window.offsets) done_.add(each);
    recorded_ranges_ -= recorded;
    at.at = state::committed;
    ++committed_unsaved_;
    try {
        check_ranges(0);
    } catch (...) {
        uncommit(window);
        throw;
    }
    for (auto& each : time_windows_) {
        if (each.id == window) each.done = true;
    }
}

void progress_tracker::uncommit(handle window) {
    auto& at = windows_.at(window);
    if (at.at == state::open) return;
    for (auto const& each : at.window.offsets) done_.remove(each);
    done_.add({-1, loaded_.low});  // retention may have gone further meanwhile
    if (!at.window.rebuildable) recorded_ranges_ += at.window.offsets.size();
    at.at = state::open;
    --committed_unsaved_;
    for (auto& each : time_windows_) {
        if (each.id == window) each.done = false;
    }
}

void progress_tracker::saved(handle window) {
    auto const found = windows_.find(window);
    if (found == windows_.end() || found->second.at != state::committed) return;
    windows_.erase(found);
    --committed_unsaved_;
    moved_ = true;
    settle_time(window);
    settle_low();
}

// Of what is saved for certain, the front becomes `windows_end`, and the rest is kept short: between two windows that
// were opened one after the other there is nothing.
void progress_tracker::settle_time(handle window) {
    auto at = std::ranges::find(time_windows_, window, &time_window::id);
    if (at == time_windows_.end()) return;
    at->id = 0;
    if (at != time_windows_.begin() && std::prev(at)->id == 0) --at;
    while (std::next(at) != time_windows_.end() && std::next(at)->id == 0) {
        auto const next = std::next(at);
        at->times = {std::min(at->times.begin, next->times.begin), std::max(at->times.end, next->times.end)};
        at->end = std::max(at->end, next->end);
        at = std::prev(time_windows_.erase(next));
    }
    while (!time_windows_.empty() && time_windows_.front().id == 0) {
        auto const end = time_windows_.front().end;
        loaded_.windows_end = std::max(loaded_.windows_end.value_or(end), end);
        time_windows_.pop_front();
    }
}

void progress_tracker::fail(handle window) { ++windows_.at(window).failures; }

bool progress_tracker::moved() const noexcept { return moved_ || committed_unsaved_ > 0; }

int progress_tracker::attempt(handle window) const {
    return 1 + windows_.at(window).failures + (moved() ? 0 : loaded_.takeovers);
}

std::optional<time_ms> progress_tracker::windows_end() const noexcept {
    auto end = loaded_.windows_end;
    for (auto const& each : time_windows_) {
        if (!each.done) break;
        end = std::max(end.value_or(each.end), each.end);
    }
    return end;
}

void progress_tracker::add_windows_done(store::progress& to) const {
    range_set done;
    for (auto const& each : to.windows_done) done.add({each.begin, each.end});
    for (auto const& each : time_windows_) {
        if (each.done) done.add({each.times.begin, each.times.end});
    }
    to.windows_done.clear();
    if (to.windows_end) {
        done.add({INT64_MIN, *to.windows_end});
        to.windows_end = done.ranges().begin()->second;
        done.remove({INT64_MIN, *to.windows_end});
        std::erase_if(to.empty_failures, [&](auto const& each) { return each.first < *to.windows_end; });
    }
    for (auto const& [begin, end] : done.ranges()) to.windows_done.push_back({begin, end});
}

std::int64_t progress_tracker::low() const noexcept { return std::max(done_.ranges().begin()->second, loaded_.low); }

std::int64_t progress_tracker::low_number(std::int64_t low) const {
    auto const holds = std::ranges::partition_point(records_, [low](auto const& each) { return each.end <= low; });
    auto number = loaded_.low_number;
    if (holds != records_.end()) {
        number = holds->number;
    } else if (!records_.empty()) {
        number = records_.back().number + 1;
    }
    return std::max(number, loaded_.low_number);
}

// What stays below low, whichever of the commits in between are taken back.
void progress_tracker::settle_low() {
    auto safe = low();
    for (auto const& [id, each] : windows_) {
        if (each.at == state::committed && each.window.first >= 0) safe = std::min(safe, each.window.first);
    }
    loaded_.low = std::max(loaded_.low, safe);
    while (!records_.empty() && records_.front().end <= loaded_.low) {
        loaded_.low_number = std::max(loaded_.low_number, records_.front().number + 1);
        records_.pop_front();
    }
}

store::progress progress_tracker::snapshot() const {
    store::progress made = loaded_;
    made.low = low();
    made.low_number = low_number(made.low);
    made.committed.clear();
    for (auto const& [begin, end] : done_.ranges()) {
        if (end > made.low) made.committed.push_back({std::max(begin, made.low), end});
    }
    made.windows_end = windows_end();
    add_windows_done(made);
    std::erase_if(made.failures, [&](auto const& each) { return each.first < made.low || done_.contains(each.first); });
    for (auto const& [id, each] : windows_) {
        if (each.at == state::committed) continue;
        auto const& window = each.window;
        if (!window.rebuildable) {
            made.recorded.push_back({window.offsets, window.start, window.end, window.reason, window.windows_end});
        }
        if (each.failures == 0) continue;
        if (window.first < 0) made.empty_failures.push_back({window.start, each.failures});
        if (window.first >= made.low) made.failures.push_back({window.first, each.failures});
    }
    std::erase_if(made.recorded, [&](auto& each) { return !clip(each.offsets, made.low); });
    std::ranges::stable_sort(made.recorded, {}, first_of);
    std::ranges::sort(made.failures, {}, &store::window_failures::first);
    std::ranges::sort(made.empty_failures, {}, &store::window_failures::first);
    if (moved()) made.takeovers = 0;
    return made;
}

std::int64_t progress_tracker::retention_floor(std::int64_t offset, std::int64_t number, std::int64_t cleared) {
    if (offset < loaded_.low) return 0;
    store::log_state log;
    log.floor = {number, offset};
    log.cleared = cleared;
    auto const lost = store::rules::backlog_of(snapshot(), log).lost - loaded_.lost;
    loaded_.lost += lost;
    done_.add({-1, offset});
    loaded_.low = offset;
    loaded_.low_number = std::max(loaded_.low_number, number);
    for (auto& each : loaded_.recorded) recorded_ranges_ -= each.offsets.size();
    std::erase_if(loaded_.recorded, [&](auto& each) { return !clip(each.offsets, offset); });
    for (auto& each : loaded_.recorded) recorded_ranges_ += each.offsets.size();
    // Time windows in somebody's hands of which nothing is left: they cannot be cut again, and were not empty.
    for (auto const& [id, each] : windows_) {
        auto const& window = each.window;
        if (window.rebuildable && window.windows_end && window.first >= 0 && window.last < offset)
            add_done({window.start, window.end});
    }
    settle_low();
    return lost;
}

void progress_tracker::times_removed(store::time_range times) {
    times.begin = std::max(times.begin, loaded_.windows_end.value_or(loaded_.start_time));
    if (times.begin < times.end) add_done(times);
}

void progress_tracker::add_done(store::time_range times) {
    auto& done = loaded_.windows_done;
    range_set all;
    for (auto const& each : done) all.add({each.begin, each.end});
    all.add({times.begin, times.end});
    done.clear();
    for (auto const& [begin, end] : all.ranges()) done.push_back({begin, end});
    // A group that stands still while retention goes on.
    constexpr std::size_t most = 1000;
    while (done.size() > most) {
        done[done.size() - 2].end = done.back().end;
        done.pop_back();
    }
}

}  // namespace minibatch::windowing
