#include "store/validation.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace minibatch::store::validation {
namespace {

using defect = std::optional<std::string>;

/// The first value that lies outside of [least, most].
class range_check {
  public:
    range_check& operator()(char const* what, std::int64_t value, std::int64_t least, std::int64_t most) {
        if (!found_ && (value < least || value > most))
            found_ = std::string(what) + " is out of range: " + std::to_string(value);
        return *this;
    }
    range_check& count(char const* what, std::int64_t value) { return (*this)(what, value, 0, max_count); }
    range_check& number(char const* what, std::int64_t value) { return (*this)(what, value, 0, max_number); }
    range_check& time(char const* what, time_ms value) { return (*this)(what, value, -max_time, max_time); }

    defect found() { return std::move(found_); }

  private:
    defect found_;
};

std::string text_of(log_position at) {
    return "record " + std::to_string(at.number) + " at offset " + std::to_string(at.offset);
}

}  // namespace

defect defect_of(record_header const& record) {
    return range_check()
        .number("its number", record.number)
        .count("its first offset", record.first)
        .count("its count of messages", record.count)
        .time("its time", record.created)
        .count("the sum of bytes before it", record.bytes_before)
        .count("its size", record.bytes)
        .found();
}

defect defect_of(record_header const& record, log_position expected) {
    if (auto found = defect_of(record)) return found;
    log_position const here{record.number, record.first};
    if (here == expected) return std::nullopt;
    return "the log continues with " + text_of(here) + " where " + text_of(expected) + " is expected";
}

defect defect_of(stream_record const& stream) {
    range_check check;
    check("its incarnation", stream.incarnation, 1, std::numeric_limits<std::int64_t>::max());
    check("its number of partitions", stream.partitions, 1, max_partitions);
    // Any limit that is not negative is possible: users write the largest number for none.
    constexpr auto largest = std::numeric_limits<std::int64_t>::max();
    auto const& limits = stream.limits;
    if (limits.max_age) check("max_age", limits.max_age->count(), 0, largest);
    check("max_messages", limits.max_messages.value_or(0), 0, largest);
    check("max_bytes", limits.max_bytes.value_or(0), 0, largest);
    return check.found();
}

defect defect_of(log_state const& log) {
    range_check check;
    check.number("the number of the floor", log.floor.number).count("the offset of the floor", log.floor.offset);
    check.number("the number of the end", log.end.number).count("the offset of the end", log.end.offset);
    check("the offset cleared up to", log.cleared, 0, log.end.offset).time("the time of the end", log.last_created);
    check.count("the sum of bytes", log.bytes);
    if (auto found = check.found()) return found;
    if (log.end.number < log.floor.number || log.end.offset < log.floor.offset)
        return "the log ends with " + text_of(log.end) + ", before its floor, " + text_of(log.floor);
    return std::nullopt;
}

defect defect_of(lease const& held) {
    return range_check()
        .count("the epoch of the lease", held.epoch)
        .time("the expiry of the lease", held.expires)
        .time("the length of the lease", held.length.count())
        .count("the renewals of the lease", held.renewals)
        .time("the length of the lease", held.length.count())
        .count("the renewals of the lease", held.renewals)
        .found();
}

defect defect_of(progress const& state) {
    range_check check;
    check.count("the lowest offset", state.low).number("the record of the lowest offset", state.low_number);
    check.time("the start time", state.start_time).count("the count of lost messages", state.lost);
    check("the count of take-overs", state.takeovers, 0, std::numeric_limits<int>::max() / 2);
    if (state.windows_end) check.time("the end of the windows", *state.windows_end);
    for (auto const& range : state.committed)
        check.count("a committed range", range.begin).count("a committed range", range.end);
    for (auto const& range : state.windows_done)
        check.time("a committed window", range.begin).time("a committed window", range.end);
    for (auto const& window : state.recorded) {
        check.time("the start of a recorded window", window.start).time("the end of a recorded window", window.end);
        if (window.windows_end) check.time("the end of the windows", *window.windows_end);
        for (auto const& range : window.offsets)
            check.count("a recorded range", range.begin).count("a recorded range", range.end);
    }
    for (auto const& failure : state.failures) check.count("the offset of a failed window", failure.first);
    for (auto const& failure : state.empty_failures) check.time("the time of a failed window", failure.first);
    return check.found();
}

defect defect_of(group_state const& group) {
    if (auto found = defect_of(group.state)) return found;
    return defect_of(group.held);
}

defect defect_of(group_state const& group, log_state const& log) {
    if (auto found = defect_of(group)) return found;
    auto const& state = group.state;
    if (state.low > log.end.offset || state.low_number > log.end.number)
        return "it continues with " + text_of({state.low_number, state.low}) + ", beyond the end of the log, " +
               text_of(log.end);
    if (!state.committed.empty() && state.committed.back().end > log.end.offset)
        return "a range is committed beyond the end of the log, " + text_of(log.end);
    return std::nullopt;
}

defect defect_of(std::span<log::segment_ptr const> records, log_state const& log, std::int64_t from) {
    if (auto found = defect_of(log)) return found;
    from = std::max(from, log.floor.number);
    if (records.empty() && from < log.end.number) return "record " + std::to_string(from) + " is missing";
    std::optional<log_position> next;
    for (auto const& record : records) {
        validation::record_header const header{
            record->number(), record->first(), record->count(), record->created(), 0, 0};
        if (!next) next = log_position{from, from == log.floor.number ? log.floor.offset : record->first()};
        if (auto found = defect_of(header, *next)) return found;
        next = log_position{record->number() + 1, record->end()};
    }
    bool const at_end = next && next->number == log.end.number;
    if (next && (log.end < *next || (at_end && *next != log.end)))
        return "the log ends with " + text_of(log.end) + ", its last record with " + text_of(*next);
    return std::nullopt;
}

std::string partition_name(std::string const& stream, int partition) {
    return "stream '" + stream + "', partition " + std::to_string(partition);
}

std::string record_name(std::string const& stream, int partition, std::int64_t number) {
    return partition_name(stream, partition) + ", record " + std::to_string(number);
}

std::string group_name(std::string const& stream, int partition, std::string const& group) {
    return partition_name(stream, partition) + ", group '" + group + "'";
}

}  // namespace minibatch::store::validation
