#include "store/memory/content.hpp"

#include <algorithm>

namespace minibatch::store::memory {

log_state partition::state() const {
    log_state out;
    out.floor = floor_;
    out.cleared = cleared_;
    if (records_.empty()) return out;
    auto const& last = records_.back();
    out.end = {last.segment->number() + 1, last.segment->end()};
    out.last_created = last.segment->created();
    out.bytes = last.end_bytes - floor_bytes_;
    return out;
}

append_result partition::push(std::string batch, std::int64_t count, std::shared_ptr<std::string const> text,
                              time_ms now) {
    auto const before = state();
    auto const created = rules::stamp(now, before.last_created);
    auto const bytes =
        (records_.empty() ? 0 : records_.back().end_bytes) + (text ? static_cast<std::int64_t>(text->size()) : 0);
    auto segment =
        std::make_shared<log::segment const>(before.end.number, before.end.offset, count, created, std::move(text));
    records_.push_back({std::move(segment), std::move(batch), bytes});
    return {before.end.number, before.end.offset, created};
}

append_result partition::append(append_request const& request, time_ms now) {
    rules::check_append(request);
    if (!records_.empty() && !request.batch.empty() && records_.back().batch == request.batch) {
        auto const& stored = *records_.back().segment;
        return {stored.number(), stored.first(), stored.created()};
    }
    return push(request.batch, request.count, request.text, now);
}

seal_result partition::seal(seal_request const& request, time_ms now) {
    if (rules::seal_needed(request, state().last_created, now)) push({}, 0, nullptr, now);
    return {state().end};
}

rules::record_lookup partition::lookup() const {
    return [this](std::int64_t number) {
        auto const& it = at(number);
        return rules::record_end{it.segment->end(), it.end_bytes, it.segment->created()};
    };
}

std::int64_t partition::remove_below(std::int64_t number) {
    std::int64_t removed = 0;
    for (; records_.size() > 1 && base_ < number; ++base_, ++removed) records_.pop_front();
    return removed;
}

trim_result partition::trim(trim_request const& request, retention const& limits, time_ms now) {
    auto const log = state();
    std::vector<group_state> groups;
    groups.reserve(groups_.size());
    for (auto const& [name, group] : groups_) groups.push_back(group);
    auto const target = rules::trim_target(log, limits, groups, request.age_measured_at(now), lookup());
    auto const reached = std::min(target, base_ + request.max_records);
    trim_result out;
    if (reached > floor_.number) {
        floor_ = {reached, at(reached).segment->first()};
        out.lost = rules::losses(groups, log, floor_);
        floor_bytes_ = at(reached - 1).end_bytes;
    }
    out.removed = remove_below(reached);
    out.floor = floor_;
    out.more = reached < target;
    return out;
}

void partition::clear() {
    auto const log = state();
    floor_ = log.end;
    cleared_ = log.end.offset;
    if (!records_.empty()) floor_bytes_ = records_.back().end_bytes;
    remove_below(floor_.number);
}

read_result partition::read(std::int64_t from_number, read_limits limits) const {
    read_result out{{}, state()};
    std::size_t bytes = 0;
    for (auto number = std::max(from_number, floor_.number); number < out.state.end.number; ++number) {
        auto const& segment = at(number).segment;
        if (!out.records.empty() && (bytes + segment->bytes() > limits.max_bytes ||
                                     out.records.size() >= static_cast<std::size_t>(limits.max_records)))
            break;
        bytes += segment->bytes();
        out.records.push_back(segment);
    }
    return out;
}

std::int64_t partition::locate(std::int64_t offset) const { return rules::locate(state(), offset, lookup()); }

group_state& partition::group(group_id const& id) {
    auto const found = groups_.find(id.group);
    if (found == groups_.end()) throw error(errc::group_not_found, "there is no group '" + id.group + "'");
    return found->second;
}

group_state const& partition::enroll(group_id const& id, start_position start, bool keep, time_ms now) {
    auto const [found, created] = groups_.try_emplace(id.group);
    auto& group = found->second;
    if (created) {
        auto const log = state();
        group.id = id;
        group.held.epoch = epoch_base_;
        group.state.low = start == start_position::earliest ? floor_.offset : log.end.offset;
        group.state.low_number = locate(group.state.low);
        group.state.start_time = group.state.low < log.end.offset ? at(group.state.low_number).segment->created()
                                                                  : rules::stamp(now, log.last_created);
    }
    group.state.keep = keep;
    return group;
}

bool partition::drop(std::string const& name) {
    auto const found = groups_.find(name);
    if (found == groups_.end()) return false;
    epoch_base_ = std::max(epoch_base_, found->second.held.epoch + 1);
    groups_.erase(found);
    return true;
}

stream& content::find(std::int64_t incarnation) {
    auto const found = streams.find(incarnation);
    if (found == streams.end()) throw error(errc::stream_deleted, "the stream was deleted");
    return found->second;
}

partition& content::find(log_id id) {
    auto& owner = find(id.incarnation);
    if (id.partition < 0 || id.partition >= owner.record.partitions)
        throw error(errc::invalid_argument,
                    "stream '" + owner.record.name + "' has no partition " + std::to_string(id.partition));
    return owner.partitions[static_cast<std::size_t>(id.partition)];
}

partition& content::find(std::string const& name, int number) {
    auto const found = names.find(name);
    if (found == names.end()) throw error(errc::stream_not_found, "there is no stream '" + name + "'");
    return find(log_id{found->second, number});
}

}  // namespace minibatch::store::memory
