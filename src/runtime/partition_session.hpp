#pragma once

#include <memory>
#include <string_view>

#include "runtime/lease_applicant.hpp"
#include "runtime/window_maker.hpp"

namespace minibatch::runtime {

/// What a worker has while it holds the lease, made from what the store has granted.
struct partition_session {
    partition_session(partition_context const& context, std::weak_ptr<partition_worker> worker,
                      lease_applicant::grant const& granted, progress_saver::listener& listener, outage_pause& outage);
    // NOLINTNEXTLINE(bugprone-exception-escape): without memory to tell callers the end, nothing can go on
    ~partition_session() { end("the lease is gone"); }
    partition_session(partition_session const&) = delete;
    partition_session& operator=(partition_session const&) = delete;

    /// The lease is over: nothing is delivered or stored any more.
    void end(std::string_view why);

    lease_session lease;
    windowing::progress_tracker tracker;
    windowing::pending_log pending;
    windowing::planner planner;
    std::shared_ptr<log_trimmer> const trimmer;
    std::shared_ptr<progress_saver> const saver;
    window_book windows;
    log_reader reader;
    window_maker maker;
    std::unique_ptr<tail::follower> follower;  // of this process's own appends

  private:
    void removed(partition_context const& context, store::time_range times, std::int64_t lost);
};

}  // namespace minibatch::runtime
