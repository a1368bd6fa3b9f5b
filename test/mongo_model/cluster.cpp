#include "mongo_model/cluster.hpp"

#include <algorithm>
#include <utility>

namespace mongo_model {
namespace {

template <class Version>
bool holds(Version const& each, op_time when) {
    return each.since <= when && when < each.until;
}

std::string text_of(record const& what) {
    return "record " + std::to_string(what.where.number) + " with batch " + what.batch;
}

}  // namespace

cluster::cluster(timeline& time, fault_profile const& how) : replication(time, how) { heads_.push_back({{}, 0}); }

mongo_model::head const& cluster::front(op_time when) const {
    return std::find_if(heads_.rbegin(), heads_.rend(), [&](auto const& each) { return holds(each, when); })->what;
}

record const* cluster::find(std::int64_t number, op_time when) const {
    auto const versions = records_.find(number);
    if (versions == records_.end()) return nullptr;
    for (auto const& each : versions->second)
        if (holds(each, when)) return &each.what;
    return nullptr;
}

mongo::log_end cluster::end(op_time when) const {
    mongo::log_end out;
    auto const floor = front(when).floor.number;
    for (auto at = records_.rbegin(); at != records_.rend() && at->first >= floor - 1; ++at) {
        auto const* last = find(at->first, when);
        if (!last) continue;
        out.end = {last->where.number + 1, last->where.first + last->count};
        out.last_created = last->where.created;
        out.bytes = last->where.bytes_before + last->bytes;
        out.last_batch = last->batch;
        out.last_count = last->count;
        out.deleted = last->deleted;
        break;
    }
    return out;
}

op_time cluster::write(std::int64_t number) {
    auto const when = written();
    written_.emplace_back(when, number);
    return when;
}

std::optional<op_time> cluster::insert(record what) {
    auto& versions = records_[what.where.number];
    if (!versions.empty() && versions.back().until == never) return std::nullopt;
    auto const when = write(what.where.number);
    versions.push_back({std::move(what), when});
    return when;
}

void cluster::set_head(mongo_model::head to) {
    heads_.back().until = write(-1);
    heads_.push_back({to, newest()});
}

op_time cluster::raise_floor(log_position floor) {
    auto to = heads_.back().what;
    if (to.deleted || to.floor.number > floor.number) return newest();
    to.floor = floor;
    set_head(to);
    return newest();
}

op_time cluster::remove(std::int64_t from, std::int64_t to) {
    write(-1);
    for (auto at = records_.lower_bound(from); at != records_.end() && at->first < to; ++at)
        if (!at->second.empty() && at->second.back().until == never) {
            at->second.back().until = newest();
            written_.emplace_back(newest(), at->first);
        }
    return newest();
}

op_time cluster::mark_deleted() {
    auto to = heads_.back().what;
    to.deleted = true;
    set_head(to);
    return newest();
}

op_time cluster::remove_all() {
    remove(0, std::numeric_limits<std::int64_t>::max());
    auto to = heads_.back().what;
    to.removed = true;
    set_head(to);
    return newest();
}

void cluster::fail_over() {
    auto const undo = [&](auto& versions) {
        while (!versions.empty() && versions.back().since > durable()) versions.pop_back();
        if (!versions.empty() && versions.back().until > durable()) versions.back().until = never;
    };
    for (auto& [number, versions] : records_) undo(versions);
    undo(heads_);
    lose_writes();
    change_primary();
    written_.clear();
    write(-1);  // the new primary's first entry
}

void cluster::became_durable(op_time from, op_time to) {
    for (auto const& each : heads_)
        if (each.since > from && each.since <= to) floor_ = std::max(floor_, each.what.floor.number);
    auto const end = std::find_if(written_.begin(), written_.end(), [&](auto const& each) { return each.first > to; });
    for (auto at = written_.begin(); at != end; ++at) {
        auto const number = at->second;
        if (number < 0) continue;
        for (auto const& each : records_.at(number)) {
            if (each.since == at->first) joined(each.what);
            if (each.until == at->first && !front(to).deleted &&
                (number >= floor_ || number + 1 >= std::ssize(history_)))
                violation(text_of(each.what) + " was removed too early");
        }
    }
    written_.erase(written_.begin(), end);
}

void cluster::joined(record const& what) {
    auto const number = what.where.number;
    if (number < floor_ || heads_.back().what.removed) return;  // left behind below the floor, where nobody looks
    if (number != std::ssize(history_)) {
        violation(text_of(what) + " came where " + std::to_string(history_.size()) + " was the next number");
        return;
    }
    if (buried_) violation(text_of(what) + " came into a log that was deleted");
    if (!history_.empty()) {
        auto const& last = history_.back();
        if (what.where.first != last.where.first + last.count) violation(text_of(what) + " has another offset");
        if (what.where.created < last.where.created) violation(text_of(what) + " is older than the one before");
        if (what.where.bytes_before != last.where.bytes_before + last.bytes)
            violation(text_of(what) + " has the sum of bytes wrong");
    }
    for (auto const& each : history_)
        if (each.where.number >= floor_ && each.batch == what.batch && !twice_.contains(what.batch))
            violation(text_of(what) + " is there twice");
    buried_ = buried_ || what.deleted;
    history_.push_back(what);
}

}  // namespace mongo_model
