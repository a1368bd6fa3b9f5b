#pragma once

#include <map>

#include "runtime/partition_worker.hpp"

namespace minibatch::runtime {

/// What a worker has while it holds the lease. Begins with what the store granted, ends with the lease.
struct partition_worker::leadership {
    leadership(strategy const& how, store::acquire_result const& granted, int partition)
        : epoch(granted.held.epoch),
          tracker(granted.state),
          pending(granted.state),
          planner(how, granted.state, partition),
          stored(granted.state.low_number),
          trimmed(0) {}

    std::int64_t const epoch;
    steady_time valid_until{};
    bool lost = false;

    windowing::progress_tracker tracker;
    windowing::pending_log pending;
    windowing::planner planner;
    std::map<std::int64_t, window_ptr> open;  // by the tracker's handle
    bool any_waiting = false;                 // some of them may wait for their redelivery

    // Reading.
    std::unique_ptr<tail::follower> follower;
    store::log_position known_end;   // the log goes so far at least
    bool end_unknown = true;         // it may go further: only a read tells
    std::int64_t doubts_of_end = 0;  // how many came, so that one that comes during a read is not overlooked
    bool reading = false;
    bool put_off = false;  // it waits for more, with messages known that were not read
    time_ms newest_created = 0;
    /// At this time, by the steady clock, the log ended before this record.
    struct known_bound {
        std::int64_t number;
        time_ms steady;
    };
    std::optional<known_bound> bound;
    bool warned_of_clock = false;
    std::int64_t message_bytes = 0;  // of those read last, on average

    /// The next read must be from the store.
    void doubt_end() {
        end_unknown = true;
        ++doubts_of_end;
        pending.set_caught_up(false);
    }
    void learn_end(store::log_position end) {
        known_end = std::max(known_end, end);
        if (known_end.number > pending.next_number()) pending.set_caught_up(false);
    }

    // Saving: one write at a time; what changes meanwhile goes into the next.
    bool saving = false;
    bool save_again = false;
    std::vector<window_ptr> to_cover;
    std::vector<window_ptr> in_doubt;  // covered by a save whose outcome is not known: repeated until it is
    int doubts = 0;                    // in a row
    std::unique_ptr<timer> repetition;
    std::vector<save_done> to_tell;

    // Trimming, along with saves.
    std::int64_t stored;   // the record number below which all is committed in the store, as far as trimming sees it
    std::int64_t trimmed;  // the record number up to which trimming was asked for
    std::unique_ptr<timer> trim_timer;

    bool flushed = false;
};

}  // namespace minibatch::runtime
