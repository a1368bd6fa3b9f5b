#pragma once

#include <functional>
#include <memory>

#include "runtime/scheduler.hpp"

namespace minibatch::runtime {

/// One timer for the deadlines of everything that waits in a queue. Deadlines are armed in ascending order, so the
/// timer that runs is never later than needed; when it fires, its owner looks for what has expired and arms the next.
/// Not thread-safe.
class deadline_watch {
  public:
    /// `expired` is called on the scheduler's loop.
    deadline_watch(std::shared_ptr<scheduler> time, std::function<void()> expired)
        : time_(std::move(time)), expired_(std::move(expired)) {}

    /// Fires once after this deadline has passed, unless an earlier one is armed.
    void arm(steady_time deadline) {
        if (!timer_) timer_ = time_->at(deadline + milliseconds(1), expired_);
    }
    /// To be called when it has fired.
    void disarm() { timer_.reset(); }

  private:
    std::shared_ptr<scheduler> time_;
    std::function<void()> expired_;
    std::unique_ptr<timer> timer_;
};

}  // namespace minibatch::runtime
