#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "windowing/cut.hpp"

namespace minibatch::windowing {

/// The messages of one partition that have been read and are in no window yet. They are kept as runs of consecutive
/// messages of a segment, so that the cost of a window is that of the segments it touches.
class pending_log {
  public:
    /// Expects the record `low_number` first. Messages below `low` and committed ones are not pending; those of
    /// recorded windows are collected for `take_recorded`.
    explicit pending_log(store::progress const& from);

    /// The next record of the log, control records too, and when it arrived by the steady clock. Offsets that are
    /// missing (retention) are stepped over, and so are those that were fed before.
    void feed(log::segment_ptr const& record, time_ms arrived);
    /// Whether all records that the log has have been fed, as far as is known.
    void set_caught_up(bool value) noexcept { caught_up_ = value; }
    bool caught_up() const noexcept { return caught_up_; }
    /// No message at `end` or beyond can have a `created` below `until`. To be called after a seal, whose control
    /// record may never be seen (the log may have been further already). Takes effect once all before `end` have been
    /// fed.
    void sealed(time_ms until, std::int64_t end);

    /// The number of the record expected next.
    std::int64_t next_number() const noexcept { return next_number_; }
    /// The offset expected next.
    std::int64_t fed_end() const noexcept { return fed_end_; }
    /// All messages with a `created` below this have been fed.
    time_ms newest() const noexcept { return newest_; }

    bool empty() const noexcept { return runs_.empty(); }
    std::int64_t count() const noexcept { return count_; }
    std::int64_t bytes() const noexcept { return bytes_; }
    /// Offset of the first pending message, or `fed_end` if there is none.
    std::int64_t front() const noexcept { return runs_.empty() ? fed_end_ : runs_.front().first_offset(); }
    /// `created` of the first pending message. Precondition: not empty.
    time_ms front_created() const noexcept { return runs_.front().segment->created(); }
    /// When the first pending message arrived, by the steady clock. Precondition: not empty.
    time_ms front_arrived() const noexcept;
    std::deque<slice> const& runs() const noexcept { return runs_; }
    /// Changes whenever messages have been removed: what was computed about the front is void then.
    std::uint64_t removals() const noexcept { return removals_; }
    /// The first times at or after `from` whose windows are not empty though no message of them is pending: something
    /// of them was committed, or is in a recorded window, or was removed.
    std::optional<store::time_range> settled_from(time_ms from);

    /// The first `count` messages.
    std::vector<slice> take_front(std::int64_t count);
    /// All messages with a `created` below `end`.
    std::vector<slice> take_before(time_ms end);
    /// Any messages, in this order. Throws `errc::emitter_failed` if one is not pending or is asked for twice; nothing
    /// is taken then.
    std::vector<slice> take(std::span<std::int64_t const> offsets);
    /// Removes what retention or `clear` has removed from the log. What had not been fed was created at `until` or
    /// before. Returns the times between the first and the last message that was in no window.
    store::time_range drop_below(std::int64_t offset, time_ms until);

    /// The records below were removed: none of them will be fed.
    void records_removed(std::int64_t number) noexcept { next_number_ = std::max(next_number_, number); }

    /// The first recorded window that is complete, as it was stored but for messages that retention has removed.
    std::optional<cut> take_recorded();
    /// Position of the first recorded window that was not taken yet: its lowest offset, -1 if it is empty.
    std::optional<std::int64_t> first_recorded() const noexcept;
    /// Whether `take_recorded` has one.
    bool has_recorded() const noexcept;

  private:
    struct recovered {
        store::recorded_window record;
        std::vector<std::vector<slice>> parts;  // one for each range
        std::int64_t lowest = -1;
        std::int64_t end = -1;
        bool taken = false;
    };
    struct hole {  // not pending: committed, or part of a recorded window
        store::offset_range range;
        std::size_t window = 0;
        std::size_t part = 0;
        bool recorded = false;
    };

    void add_run(log::segment_ptr const& record, std::int64_t begin, std::int64_t end);
    void settle(store::time_range times);
    std::deque<slice>::const_iterator run_of(std::int64_t offset) const;
    void remove(std::span<std::int64_t const> sorted);

    struct arrived_from {  // messages from this offset on
        std::int64_t offset;
        time_ms at;
    };
    void forget_arrivals();

    std::deque<slice> runs_;
    std::deque<arrived_from> arrivals_;  // the first is that of the first pending message
    std::vector<recovered> recovered_;   // by lowest offset
    std::vector<hole> holes_;            // sorted
    std::size_t next_hole_ = 0;
    std::deque<store::time_range> settled_;  // sorted, apart
    std::optional<std::pair<time_ms, std::int64_t>> seal_;
    std::int64_t next_number_;
    std::int64_t fed_end_;
    time_ms newest_ = INT64_MIN;
    std::int64_t count_ = 0;
    std::int64_t bytes_ = 0;
    std::uint64_t removals_ = 0;
    bool caught_up_ = false;
};

}  // namespace minibatch::windowing
