#pragma once

#include <cstdint>
#include <minibatch/message.hpp>
#include <minibatch/window_reason.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "log/segment.hpp"
#include "store/progress.hpp"
#include "windowing/moment.hpp"

namespace minibatch::windowing {

/// Consecutive messages of one segment, by index.
struct slice {
    log::segment_ptr segment;
    std::int64_t begin = 0;
    std::int64_t end = 0;

    std::int64_t count() const noexcept { return end - begin; }
    std::int64_t first_offset() const noexcept { return segment->first() + begin; }
    /// One past the last offset.
    std::int64_t end_offset() const noexcept { return segment->first() + end; }
    /// Bytes of the documents, without what separates them.
    std::int64_t bytes() const noexcept;
};

/// What a window consists of.
struct cut {
    /// The messages, in the order in which the window shows them.
    std::vector<slice> slices;
    /// Their offsets in the same order, neighbours joined.
    std::vector<store::offset_range> offsets;
    /// Lowest and highest offset; -1 if the window is empty.
    std::int64_t first = -1;
    std::int64_t last = -1;
    /// Bounds of a time window, else `created` of the messages `first` and `last`.
    time_ms start = 0;
    time_ms end = 0;
    window_reason reason = window_reason::custom;
    /// Whether the same window comes out again from the log and the progress. If not, it has to be recorded in the
    /// progress (see progress_tracker::snapshot) before its first delivery.
    bool rebuildable = false;
    /// Messages that a custom emitter discarded together with this answer.
    std::vector<store::offset_range> discarded;
    /// For time windows: below this time all windows are done once this one and those before it are committed.
    std::optional<time_ms> windows_end;

    std::int64_t count() const noexcept;
    std::int64_t bytes() const noexcept;
};

/// The records are needed: feed more, or find that there are none (`set_caught_up`).
struct read_on {};
/// Nothing to do before new records arrive, or before `when`.
struct wait_until {
    std::optional<time_ms> when;
    timeline by = timeline::steady;
};
/// The log must be sealed up to `time`, which is not beyond the stamp of `now`; then feed what there is and call
/// `pending_log::sealed`.
struct seal_until {
    time_ms time = 0;
};
/// No window, but a custom emitter has discarded messages: hand them to `progress_tracker::discard`, then ask again.
struct discard_only {
    std::vector<store::offset_range> discarded;
};

using step = std::variant<cut, read_on, wait_until, seal_until, discard_only>;

/// A cut of these messages, with `start` and `end` from them.
cut make_cut(std::vector<slice> slices, window_reason reason, bool rebuildable);

/// The id that stays the same when the window is delivered again.
std::string window_id(std::string_view group, int partition, cut const& window);

/// Appends the messages of a slice.
void append_messages(slice const& from, int partition, std::vector<message>& to);

/// The messages of a window, in its order.
std::vector<message> messages_of(cut const& window, int partition);

}  // namespace minibatch::windowing
