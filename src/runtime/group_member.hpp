#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <minibatch/options.hpp>
#include <minibatch/strategy.hpp>
#include <vector>

#include "runtime/engine.hpp"
#include "runtime/window_record.hpp"

namespace minibatch::runtime {

/// A consumer: works all partitions of a stream for a group, and hands their windows to whoever waits.
///
/// Everything runs on the loop but for the members that say otherwise.
class group_member : public std::enable_shared_from_this<group_member> {
  public:
    group_member(std::shared_ptr<engine> runtime, store::stream_record stream, strategy how, consumer_options options);

    /// Begins to work the partitions whose groups have been registered. Thread-safe; called once.
    void start(std::vector<store::group_state> groups);

    using window_done = detail::callback<window_ptr>;
    /// Names a wait, so that its cancellation can be set up before it begins. Thread-safe.
    std::uint64_t new_wait() { return next_wait_++; }
    /// Waits for a window; null once stopped and drained. `done` is called on the loop. Thread-safe.
    void next(std::uint64_t wait, window_done done);
    /// Ends a wait with `operation_aborted`, unless it is over. Thread-safe.
    void cancel(std::uint64_t wait);
    /// Stops making windows; what is in flight may still be committed. Thread-safe.
    void stop(drain remainder);

    // For the partition workers.
    void offer(window_ptr window, bool first);
    /// Takes back windows that nobody has taken.
    void withdraw(partition_worker const& worker);
    /// Ends the waits with an error. A lasting one ends all later waits, too.
    void report(error const& problem, bool lasting);
    void finished(partition_worker const& worker);
    /// Hands out what may be handed out now.
    void pump();

    std::shared_ptr<engine> const runtime;
    store::stream_record const stream;
    strategy const how;
    consumer_options const options;
    std::optional<drain> stopping;

  private:
    struct waiter {
        std::uint64_t id;
        window_done done;
    };
    std::vector<std::shared_ptr<partition_worker>> workers_;
    std::size_t running_ = 0;
    bool started_ = false;
    std::deque<window_ptr> ready_;
    std::deque<waiter> waiters_;
    std::atomic<std::uint64_t> next_wait_ = 0;
    std::optional<error> lasting_;
};

}  // namespace minibatch::runtime
