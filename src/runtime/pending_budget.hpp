#pragma once

#include "runtime/append_queue.hpp"

namespace minibatch::runtime {

/// Bounds the bytes of the appends that are queued or being written. Appends that do not fit wait here, in order. One
/// that is larger than the limit is admitted alone. Not thread-safe.
class pending_budget {
  public:
    explicit pending_budget(std::size_t limit) : limit_(limit) {}

    /// Gives the append back if there is room for it, which it then occupies; else it waits here.
    std::optional<queued_append> admit(queued_append&& item);
    /// The first append that waits, if there is room for it now, which it then occupies.
    std::optional<queued_append> admit_next();
    /// Gives back the room of appends that were written, cancelled or have expired.
    void release(std::size_t bytes) noexcept { used_ -= bytes; }

    std::size_t used() const noexcept { return used_; }
    /// The appends that wait for room.
    append_queue& waiting() noexcept { return waiting_; }
    append_queue const& waiting() const noexcept { return waiting_; }

  private:
    bool fits(std::size_t bytes) const noexcept { return used_ == 0 || used_ + bytes <= limit_; }

    std::size_t const limit_;
    std::size_t used_ = 0;
    append_queue waiting_;
};

}  // namespace minibatch::runtime
