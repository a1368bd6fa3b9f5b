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
    bool reached_end = false;  // since the lease was acquired
    bool foreign_hint = true;  // another process may have written more
    std::int64_t hints = 0;    // how many came, so that one that comes during a read is not overlooked
    time_ms newest_created = 0;

    // Saving: one write at a time; what changes meanwhile goes into the next.
    bool saving = false;
    bool save_again = false;
    std::vector<window_ptr> to_cover;
    std::vector<window_ptr> in_doubt;  // covered by a save whose outcome is not known: repeated until it is
    int doubts = 0;                    // in a row
    std::unique_ptr<timer> repetition;
    std::vector<save_done> to_tell;

    // Trimming, along with saves.
    std::int64_t stored;   // the record number below which all is committed in the store, or on its way there
    std::int64_t trimmed;  // the record number up to which trimming was asked for
    std::unique_ptr<timer> trim_timer;

    bool flushed = false;
};

}  // namespace minibatch::runtime
