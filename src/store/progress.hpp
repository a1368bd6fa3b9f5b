#pragma once

#include <compare>
#include <cstdint>
#include <minibatch/window_reason.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "log/segment.hpp"

namespace minibatch::store {

using log::time_ms;

/// Offsets [begin, end) of one partition.
struct offset_range {
    std::int64_t begin = 0;
    std::int64_t end = 0;
    friend auto operator<=>(offset_range const&, offset_range const&) = default;
};

/// Times [begin, end).
struct time_range {
    time_ms begin = 0;
    time_ms end = 0;
    friend auto operator<=>(time_range const&, time_range const&) = default;
};

/// A window that could not be cut again identically from the log, and is therefore stored before it is first delivered.
struct recorded_window {
    /// What it holds, in the order in which it shows it. Empty for an empty window.
    std::vector<offset_range> offsets;
    time_ms start = 0;
    time_ms end = 0;
    window_reason reason = window_reason::custom;
    /// For time windows: what `progress::windows_end` becomes once it is committed.
    std::optional<time_ms> windows_end;
    friend bool operator==(recorded_window const&, recorded_window const&) = default;
};

/// How often the window that begins at `first` has failed since it was first delivered.
struct window_failures {
    std::int64_t first = 0;
    int count = 0;
    friend bool operator==(window_failures const&, window_failures const&) = default;
};

/// The progress of a consumer group in one partition. Written as a whole, atomically, by the holder of the lease.
struct progress {
    /// All offsets below are committed (or were removed by retention).
    std::int64_t low = 0;
    /// Number of the record that holds `low`, or of the next record if `low` is the end of the log.
    std::int64_t low_number = 0;
    /// Committed ranges above `low`: sorted, apart from one another.
    std::vector<offset_range> committed;
    /// `created` of the message at the group's start, or the clock if there was none: where its time windows begin.
    time_ms start_time = 0;
    /// End of the last time window below which all are committed.
    std::optional<time_ms> windows_end;
    /// Above `windows_end`: the time windows that are committed, and the times of messages that retention removed
    /// before their windows were cut. Sorted, apart from one another.
    std::vector<time_range> windows_done;
    /// Open windows that cannot be cut again identically. Sorted by first offset.
    std::vector<recorded_window> recorded;
    /// Unclean take-overs since the progress last moved.
    int takeovers = 0;
    std::vector<window_failures> failures;
    /// The same for empty windows, `first` being the time at which the window begins.
    std::vector<window_failures> empty_failures;
    /// Messages that retention removed before this group had committed them.
    std::int64_t lost = 0;
    /// Whether the messages stay after this group has committed them.
    bool keep = false;
    friend bool operator==(progress const&, progress const&) = default;
};

/// The variable parts of a progress record as JSON text, for stores that keep them in one text field:
/// `{"committed":[[b,e],…],"recorded":[…],"failures":[…]}`, and where there are any, `"windows_done":[[b,e],…]` and
/// `"empty_failures":[…]`.
std::string encode_details(progress const& value);

/// Reads `encode_details` back into `value`. Throws `error` with `errc::corrupt` on anything else: ranges that are
/// unsorted, overlapping or below `low`, unknown fields, numbers out of range, more than 10,000 ranges.
void decode_details(std::string_view text, progress& value);

/// The limit on `committed` and on the ranges of all recorded windows together.
inline constexpr std::size_t max_ranges = 10'000;

}  // namespace minibatch::store
