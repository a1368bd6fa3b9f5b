#pragma once

#include <optional>
#include <span>
#include <string>

#include "store/types.hpp"

/// Checks of stored values. Other programs can write to a database, and storage can fail: no value is used in
/// arithmetic before it has passed one of these. The limits leave room for sums and differences of two values.
///
/// Each function describes the first defect, or returns nothing. A store throws the description as `errc::corrupt`,
/// after the name of the record (`record_name`, `group_name`).
namespace minibatch::store::validation {

/// Records in the life of one partition.
inline constexpr std::int64_t max_number = 1'000'000'000'000;
/// Offsets, bytes, epochs and counters.
inline constexpr std::int64_t max_count = std::int64_t{1} << 61;
/// Milliseconds since the epoch, about 275,000 years.
inline constexpr time_ms max_time = 8'640'000'000'000'000;
/// Partitions of one stream.
inline constexpr int max_partitions = 1024;

/// A record of a log without its messages.
struct record_header {
    std::int64_t number = 0;
    std::int64_t first = 0;
    std::int64_t count = 0;
    time_ms created = 0;
    std::int64_t bytes_before = 0;  // of the partition, below this record
    std::int64_t bytes = 0;
};

std::optional<std::string> defect_of(record_header const& record);
/// `record` must be the one at `expected`.
std::optional<std::string> defect_of(record_header const& record, log_position expected);
std::optional<std::string> defect_of(stream_record const& stream);
/// Floor, end and the totals.
std::optional<std::string> defect_of(log_state const& log);
std::optional<std::string> defect_of(lease const& held);
/// The numbers of a progress record; `rules::check_progress` checks the ranges.
std::optional<std::string> defect_of(progress const& state);
/// Progress and lease.
std::optional<std::string> defect_of(group_state const& group);
/// The progress must not be beyond the log.
std::optional<std::string> defect_of(group_state const& group, log_state const& log);

/// Records that were read from number `from`, or from the floor if that is higher: they must follow one another up to
/// the end of the log or before it, and there must be some if the log goes on.
std::optional<std::string> defect_of(std::span<log::segment_ptr const> records, log_state const& log,
                                     std::int64_t from);

/// "stream 's', partition 0, record 17"
std::string record_name(std::string const& stream, int partition, std::int64_t number);
/// "stream 's', partition 0, group 'g'"
std::string group_name(std::string const& stream, int partition, std::string const& group);
/// "stream 's', partition 0"
std::string partition_name(std::string const& stream, int partition);

}  // namespace minibatch::store::validation
