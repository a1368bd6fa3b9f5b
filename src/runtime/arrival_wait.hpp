#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "runtime/scheduler.hpp"

namespace minibatch::runtime {

/// Decides whether a worker that has written everything stays awake for the next write, and lets it wait. Waking a
/// thread can take as long as half a commit; so while writes follow closely upon one another, as they do when a
/// coroutine awaits each append, the worker looks for the next one for a moment before it sleeps. While writes are
/// rarer than that, it never does.
///
/// `wait` may run while others call `arrived`; the rest is not thread-safe.
class arrival_wait {
  public:
    /// `longest`: how long the worker stays awake; zero: never.
    explicit arrival_wait(std::chrono::microseconds longest) : longest_(longest) {}

    /// A write was queued.
    void arrived(steady_time now) noexcept;
    /// The worker goes to sleep.
    void sleeps(steady_time now) noexcept;
    /// Whether the worker should call `wait` rather than sleep.
    bool worthwhile() const noexcept { return worthwhile_; }
    std::uint64_t count() const noexcept { return count_.load(std::memory_order_relaxed); }

    /// Returns when more than `seen` writes have arrived. False: there was none for too long.
    bool wait(std::uint64_t seen) const noexcept;

  private:
    std::chrono::microseconds const longest_;
    std::atomic<std::uint64_t> count_ = 0;
    bool worthwhile_ = false;
    bool asleep_ = false;
    steady_time asleep_since_{};
};

}  // namespace minibatch::runtime
