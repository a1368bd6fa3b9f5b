#include "store/rules.hpp"

#include <algorithm>

#include "store/names.hpp"
#include "store/time_arithmetic.hpp"
#include "store/validation.hpp"

namespace minibatch::store::rules {
namespace {

std::string describe(group_id const& group) {
    return "group '" + group.group + "', partition " + std::to_string(group.log.partition);
}

void check_epoch(group_state const& group, std::int64_t epoch) {
    if (group.held.epoch == epoch) return;
    throw error(errc::fenced, describe(group.id) + ": the lease of epoch " + std::to_string(epoch) +
                                  " is over; the current epoch is " + std::to_string(group.held.epoch));
}

void check_ranges(std::vector<offset_range> ranges, errc otherwise, std::string const& what) {
    std::sort(ranges.begin(), ranges.end());
    std::int64_t end = 0;
    for (auto const& range : ranges) {
        if (range.begin < end || range.end <= range.begin)
            throw error(otherwise, what + ": range [" + std::to_string(range.begin) + ", " + std::to_string(range.end) +
                                       ") is empty, negative or overlaps another");
        end = range.end;
    }
}

/// How many offsets of [begin, end) are not committed.
std::int64_t uncommitted(progress const& value, std::int64_t begin, std::int64_t end) noexcept {
    begin = std::max(begin, value.low);
    if (begin >= end) return 0;
    auto count = end - begin;
    for (auto const& range : value.committed)
        count -= std::max<std::int64_t>(0, std::min(end, range.end) - std::max(begin, range.begin));
    return count;
}

void prolong(lease& held, milliseconds length, time_ms now) {
    held.expires = saturating_sum(now, length.count());
    held.length = length;
    ++held.renewals;
}

}  // namespace

time_ms stamp(time_ms now, time_ms last_created) noexcept { return std::max(now, last_created); }

void check_stream(std::string const& name, std::optional<int> partitions, std::optional<retention> const& limits) {
    using validation::max_partitions;
    check_name("stream", name);
    if (partitions && (*partitions < 1 || *partitions > max_partitions))
        throw error(errc::invalid_argument, "stream '" + name + "': " + std::to_string(*partitions) +
                                                " partitions; possible are 1 to " + std::to_string(max_partitions));
    if (limits && ((limits->max_age && limits->max_age->count() < 0) || limits->max_messages.value_or(0) < 0 ||
                   limits->max_bytes.value_or(0) < 0))
        throw error(errc::invalid_argument, "stream '" + name + "': a negative retention limit");
}

void check_append(append_request const& request) {
    if (request.count > 0 && request.text && request.text->size() > 3) return;
    throw error(errc::invalid_argument, "append: a segment without messages");
}

bool seal_needed(seal_request const& request, time_ms last_created, time_ms now) {
    if (last_created >= request.until) return false;
    if (request.until <= now) return true;
    throw error(errc::invalid_argument, "seal: the time " + std::to_string(request.until) +
                                            " lies in the future of the database's clock, " + std::to_string(now));
}

void check_progress(progress const& value, errc otherwise) {
    auto const refuse = [&](std::string const& what) { throw error(otherwise, "progress: " + what); };
    if (value.low < 0 || value.low_number < 0) refuse("a negative offset or number");
    if (value.takeovers < 0 || value.lost < 0) refuse("a negative count");
    auto const& committed = value.committed;
    if (!std::is_sorted(committed.begin(), committed.end())) refuse("the committed ranges are not sorted");
    if (!committed.empty() && committed.front().begin < value.low) refuse("a committed range below the low offset");
    check_ranges(committed, otherwise, "progress: committed");
    std::size_t ranges = committed.size();
    for (auto const& window : value.recorded) {
        check_ranges(window.offsets, otherwise, "progress: recorded window");
        ranges += window.offsets.size();
    }
    for (auto const& failure : value.failures)
        if (failure.first < 0 || failure.count < 1) refuse("a failure count out of range");
    for (auto const& failure : value.empty_failures)
        if (failure.count < 1) refuse("a failure count out of range");
    auto const& done = value.windows_done;
    for (std::size_t i = 0; i < done.size(); ++i)
        if (done[i].end <= done[i].begin || (i > 0 && done[i].begin <= done[i - 1].end))
            refuse("the times of committed windows are not sorted ranges");
    ranges = std::max(ranges, done.size());
    if (ranges > max_ranges)
        throw error(
            otherwise == errc::corrupt ? errc::corrupt : errc::too_many_ranges,
            "progress: " + std::to_string(ranges) + " ranges; at most " + std::to_string(max_ranges) + " are kept");
}

acquire_result acquire(group_state& group, acquire_request const& request, time_ms now) {
    if (request.owner.empty() || request.acquisition.empty() || request.duration.count() <= 0)
        throw error(errc::invalid_argument, describe(group.id) + ": a lease needs an owner, an id and a duration");
    auto& held = group.held;
    bool const ours = held.held() && held.acquisition == request.acquisition;
    bool const free = !held.held() || (request.unchanged && held.unchanged_since(*request.unchanged));
    if (!ours && !free) return {false, held, {}};
    if (!ours) {
        if (held.held()) ++group.state.takeovers;
        held.owner = request.owner;
        held.acquisition = request.acquisition;
        ++held.epoch;
        held.renewals = 0;
    }
    prolong(held, request.duration, now);
    return {true, held, group.state};
}

void renew(group_state& group, renew_request const& request, time_ms now) {
    check_epoch(group, request.epoch);
    if (!group.held.held()) throw error(errc::fenced, describe(group.id) + ": the lease was released");
    prolong(group.held, request.duration, now);
}

void release(group_state& group, release_request const& request) {
    check_epoch(group, request.epoch);
    group.held.owner.clear();
    group.held.acquisition.clear();
    group.held.expires = 0;
    group.held.length = milliseconds(0);
    group.held.renewals = 0;
}

bool in_use(group_state const& group, std::span<partition_lease const> ended) noexcept {
    auto const has_ended = [&](partition_lease const& each) {
        return each.partition == group.id.log.partition && group.held.unchanged_since(each.held);
    };
    return group.held.held() && std::none_of(ended.begin(), ended.end(), has_ended);
}

std::string shown_owner(lease const& held, time_ms now) {
    constexpr milliseconds tolerance{1'000};
    // A clock that was ahead when the lease was renewed gives an expiry that no lease of this length can have.
    bool const possible =
        held.length.count() == 0 || saturating_difference(held.expires, now) <= (held.length + tolerance).count();
    return held.held() && held.expires > now && possible ? held.owner : std::string();
}

bool commit(group_state& group, commit_request const& request) {
    check_epoch(group, request.epoch);
    if (request.state.low < group.state.low)
        throw error(errc::fenced, describe(group.id) + ": a commit up to offset " + std::to_string(request.state.low) +
                                      " after one up to " + std::to_string(group.state.low));
    check_progress(request.state, errc::invalid_argument);
    // What is stored must be readable.
    if (auto const defect = validation::defect_of(request.state))
        throw error(errc::invalid_argument, describe(group.id) + ": " + *defect);
    for (auto const& write : request.writes) check_write(write);
    if (group.state == request.state) return false;
    group.state = request.state;
    return true;
}

void check_write(document_write const& write) {
    check_name(write.what == document_write::kind::append ? "stream" : "collection", write.target);
    if (write.what != document_write::kind::append &&
        (write.target.starts_with("minibatch_") || write.target.starts_with("system.")))
        throw error(errc::invalid_name,
                    "collection '" + write.target + "': names that begin so are the database's own");
    if (write.what == document_write::kind::upsert && write.key.empty())
        throw error(errc::invalid_argument, "upsert into '" + write.target + "': no key");
    if (write.document.size() < 2 || write.document.front() != '{' || write.document.back() != '}' ||
        write.document.find('\n') != std::string::npos)
        throw error(errc::invalid_argument, "write to '" + write.target + "': not one line with a JSON object");
}

backlog backlog_of(progress const& value, log_state const& log) noexcept {
    return {uncommitted(value, log.floor.offset, log.end.offset),
            value.lost + uncommitted(value, log.cleared, log.floor.offset)};
}

std::int64_t first_not(std::int64_t from, std::int64_t to, std::function<bool(std::int64_t)> const& before) {
    while (from < to) {
        auto const middle = from + (to - from) / 2;
        if (before(middle))
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

std::int64_t locate(log_state const& log, std::int64_t offset, record_lookup const& record) {
    if (offset < log.floor.offset) return log.floor.number;
    if (offset >= log.end.offset) return log.end.number;
    return first_not(log.floor.number, log.end.number, [&](auto number) { return record(number).offset <= offset; });
}

bool removal::operator()(record_end const& record) const noexcept {
    return (committed && record.offset <= *committed) || (created_before && record.created < *created_before) ||
           (messages_below && record.offset <= *messages_below) || (bytes_below && record.bytes <= *bytes_below);
}

removal removable(log_state const& log, retention const& limits, std::vector<group_state> const& groups, time_ms now,
                  std::int64_t total_bytes) {
    removal out;
    bool const kept = std::any_of(groups.begin(), groups.end(), [](auto const& group) { return group.state.keep; });
    if (!groups.empty() && !kept)
        out.committed = std::min_element(groups.begin(), groups.end(), [](auto const& a, auto const& b) {
                            return a.state.low < b.state.low;
                        })->state.low;
    if (limits.max_age) out.created_before = saturating_difference(now, limits.max_age->count());
    if (limits.max_messages) out.messages_below = log.end.offset - *limits.max_messages;
    if (limits.max_bytes) out.bytes_below = total_bytes - *limits.max_bytes;
    return out;
}

std::int64_t trim_target(log_state const& log, retention const& limits, std::vector<group_state> const& groups,
                         time_ms now, record_lookup const& record) {
    auto const from = log.floor.number;
    auto const last = log.end.number - 1;  // always stays
    if (last <= from) return from;
    auto const may_go = removable(log, limits, groups, now, limits.max_bytes ? record(last).bytes : 0);
    return first_not(from, last, [&](auto number) { return may_go(record(number)); });
}

std::vector<std::pair<std::string, std::int64_t>> losses(std::vector<group_state> const& groups, log_state const& log,
                                                         log_position floor) {
    auto after = log;
    after.floor = floor;
    std::vector<std::pair<std::string, std::int64_t>> lost;
    for (auto const& group : groups) {
        auto const count = backlog_of(group.state, after).lost - backlog_of(group.state, log).lost;
        if (count > 0) lost.emplace_back(group.id.group, count);
    }
    return lost;
}

}  // namespace minibatch::store::rules
