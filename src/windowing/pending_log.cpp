#include "windowing/pending_log.hpp"

#include <algorithm>
#include <minibatch/error.hpp>
#include <string>

namespace minibatch::windowing {

pending_log::pending_log(store::progress const& from) : next_number_(from.low_number), fed_end_(from.low) {
    for (auto const& range : from.committed) holes_.push_back({range, 0, 0, false});
    for (auto const& window : from.recorded) {
        recovered each{window, std::vector<std::vector<slice>>(window.offsets.size())};
        for (auto const& range : window.offsets) {
            each.lowest = each.lowest < 0 ? range.begin : std::min(each.lowest, range.begin);
            each.end = std::max(each.end, range.end);
        }
        recovered_.push_back(std::move(each));
    }
    std::ranges::stable_sort(recovered_, {}, &recovered::lowest);
    for (std::size_t w = 0; w < recovered_.size(); ++w) {
        auto const& ranges = recovered_[w].record.offsets;
        for (std::size_t r = 0; r < ranges.size(); ++r) holes_.push_back({ranges[r], w, r, true});
    }
    std::ranges::sort(holes_, {}, [](hole const& each) { return each.range.begin; });
    for (auto const& each : from.windows_done) settle(each);
}

void pending_log::feed(log::segment_ptr const& record, time_ms arrived) {
    if (record->number() < next_number_) return;
    next_number_ = record->number() + 1;
    newest_ = std::max(newest_, record->created());
    auto at = std::max(record->first(), fed_end_);
    auto const end = record->end();
    auto const instant = store::time_range{record->created(), record->created() + 1};
    if (record->count() > 0 && record->first() < at) settle(instant);
    if (at < end && (arrivals_.empty() || arrivals_.back().at != arrived)) arrivals_.push_back({at, arrived});
    while (at < end) {
        while (next_hole_ < holes_.size() && holes_[next_hole_].range.end <= at) ++next_hole_;
        if (next_hole_ == holes_.size() || holes_[next_hole_].range.begin >= end) {
            add_run(record, at, end);
            break;
        }
        auto const& here = holes_[next_hole_];
        if (here.range.begin > at) add_run(record, at, here.range.begin);
        auto const from = std::max(at, here.range.begin);
        at = std::min(end, here.range.end);
        settle(instant);
        if (here.recorded) {
            recovered_[here.window].parts[here.part].push_back({record, from - record->first(), at - record->first()});
        }
    }
    fed_end_ = std::max(fed_end_, end);
    forget_arrivals();
    if (seal_ && fed_end_ >= seal_->second) {
        newest_ = std::max(newest_, seal_->first);
        seal_.reset();
    }
}

void pending_log::sealed(time_ms until, std::int64_t end) {
    if (fed_end_ >= end) {
        newest_ = std::max(newest_, until);
    } else {
        seal_.emplace(until, end);
    }
}

void pending_log::settle(store::time_range times) {
    if (times.begin >= times.end) return;
    auto at = std::ranges::lower_bound(settled_, times.begin, {}, &store::time_range::end);
    while (at != settled_.end() && at->begin <= times.end) {
        times = {std::min(times.begin, at->begin), std::max(times.end, at->end)};
        at = settled_.erase(at);
    }
    settled_.insert(at, times);
}

std::optional<store::time_range> pending_log::settled_from(time_ms from) {
    while (!settled_.empty() && settled_.front().end <= from) settled_.pop_front();
    if (settled_.empty()) return std::nullopt;
    return store::time_range{std::max(settled_.front().begin, from), settled_.front().end};
}

void pending_log::add_run(log::segment_ptr const& record, std::int64_t begin, std::int64_t end) {
    runs_.push_back({record, begin - record->first(), end - record->first()});
    count_ += end - begin;
    bytes_ += runs_.back().bytes();
}

time_ms pending_log::front_arrived() const noexcept { return arrivals_.front().at; }

void pending_log::forget_arrivals() {
    while (arrivals_.size() > 1 && arrivals_[1].offset <= front()) arrivals_.pop_front();
}

std::vector<slice> pending_log::take_front(std::int64_t count) {
    std::vector<slice> taken;
    while (count > 0 && !runs_.empty()) {
        auto& run = runs_.front();
        if (run.count() <= count) {
            taken.push_back(std::move(run));
            runs_.pop_front();
        } else {
            taken.push_back({run.segment, run.begin, run.begin + count});
            run.begin += count;
        }
        count -= taken.back().count();
        count_ -= taken.back().count();
        bytes_ -= taken.back().bytes();
    }
    forget_arrivals();
    ++removals_;
    return taken;
}

std::vector<slice> pending_log::take_before(time_ms end) {
    std::int64_t messages = 0;
    for (auto const& run : runs_) {
        if (run.segment->created() >= end) break;
        messages += run.count();
    }
    return take_front(messages);
}

std::deque<slice>::const_iterator pending_log::run_of(std::int64_t offset) const {
    auto const after = std::ranges::upper_bound(runs_, offset, {}, &slice::first_offset);
    if (after == runs_.begin() || std::prev(after)->end_offset() <= offset) return runs_.end();
    return std::prev(after);
}

std::vector<slice> pending_log::take(std::span<std::int64_t const> offsets) {
    std::vector<std::int64_t> sorted(offsets.begin(), offsets.end());
    std::ranges::sort(sorted);
    if (auto const twice = std::ranges::adjacent_find(sorted); twice != sorted.end()) {
        throw error(errc::emitter_failed, "the emitter has named message " + std::to_string(*twice) + " twice");
    }
    std::vector<slice> taken;
    for (auto const offset : offsets) {
        if (!taken.empty() && taken.back().end_offset() == offset) {
            // The same segment, though perhaps beyond a gap within it: only a run is sure to hold both.
            auto& last = taken.back();
            auto const run = run_of(offset);
            if (run != runs_.end() && run->segment == last.segment) {
                ++last.end;
                continue;
            }
        }
        auto const run = run_of(offset);
        if (run == runs_.end()) {
            throw error(errc::emitter_failed,
                        "the emitter has named message " + std::to_string(offset) + ", which is not pending");
        }
        auto const index = offset - run->segment->first();
        taken.push_back({run->segment, index, index + 1});
    }
    if (!sorted.empty()) remove(sorted);
    return taken;
}

void pending_log::remove(std::span<std::int64_t const> sorted) {
    auto const low = std::ranges::upper_bound(runs_, sorted.front(), {}, &slice::end_offset);
    auto const high = std::ranges::upper_bound(low, runs_.end(), sorted.back(), {}, &slice::first_offset);
    std::vector<slice> rest;
    auto next = sorted.begin();
    for (auto run = low; run != high; ++run) {
        auto at = run->begin;
        for (; next != sorted.end() && *next < run->end_offset(); ++next) {
            auto const index = *next - run->segment->first();
            if (at < index) rest.push_back({run->segment, at, index});
            bytes_ -= static_cast<std::int64_t>(run->segment->document(index).size());
            at = index + 1;
        }
        if (at < run->end) rest.push_back({run->segment, at, run->end});
    }
    runs_.insert(runs_.erase(low, high), std::make_move_iterator(rest.begin()), std::make_move_iterator(rest.end()));
    count_ -= static_cast<std::int64_t>(sorted.size());
    forget_arrivals();
    ++removals_;
}

store::time_range pending_log::drop_below(std::int64_t offset, time_ms until) {
    store::time_range removed;
    if (!runs_.empty() && runs_.front().first_offset() < offset) {
        removed = {front_created(), front_created() + 1};
    } else if (fed_end_ < offset) {
        removed = {newest_, newest_};
    }
    auto const cut_slice = [offset](slice& each) {
        each.begin = std::clamp(offset - each.segment->first(), each.begin, each.end);
        return each.count() == 0;
    };
    while (!runs_.empty() && runs_.front().first_offset() < offset) {
        auto& run = runs_.front();
        removed.end = std::max(removed.end, run.segment->created() + 1);
        count_ -= run.count();
        bytes_ -= run.bytes();
        if (cut_slice(run)) {
            runs_.pop_front();
        } else {
            count_ += run.count();
            bytes_ += run.bytes();
        }
    }
    for (auto& window : recovered_) {
        for (auto& part : window.parts) std::erase_if(part, cut_slice);
    }
    if (fed_end_ < offset) removed.end = std::max(removed.end, until + 1);
    settle(removed);
    fed_end_ = std::max(fed_end_, offset);
    if (seal_ && fed_end_ >= seal_->second) sealed(seal_->first, seal_->second);
    forget_arrivals();
    ++removals_;
    return removed;
}

std::optional<cut> pending_log::take_recorded() {
    for (auto& window : recovered_) {
        if (window.taken || window.end > fed_end_) continue;
        window.taken = true;
        std::vector<slice> slices;
        for (auto& part : window.parts) std::ranges::move(part, std::back_inserter(slices));
        window.parts.clear();
        if (slices.empty() && !window.record.offsets.empty()) continue;  // retention has removed it all
        auto made = make_cut(std::move(slices), window.record.reason, false);
        made.start = window.record.start;
        made.end = window.record.end;
        made.windows_end = window.record.windows_end;
        return made;
    }
    return std::nullopt;
}

std::optional<std::int64_t> pending_log::first_recorded() const noexcept {
    auto const found = std::ranges::find(recovered_, false, &recovered::taken);
    if (found == recovered_.end()) return std::nullopt;
    return found->lowest;
}

bool pending_log::has_recorded() const noexcept {
    return std::ranges::any_of(recovered_, [&](auto const& each) { return !each.taken && each.end <= fed_end_; });
}

}  // namespace minibatch::windowing
