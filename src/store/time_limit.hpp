#pragma once

#include <algorithm>
#include <atomic>

#include "store/types.hpp"

namespace minibatch::store {

/// The time-out that stands for none: a hundred years. It can be added to the time of any clock without an overflow.
inline constexpr milliseconds unlimited = std::chrono::hours(24) * 36'525;

/// Bounds what this thread does while it exists, for what is called from below and cannot be given a time of its own:
/// the callbacks of a database's library. By the machine's steady clock. Limits nest; the earliest counts.
class time_limit {
  public:
    /// A time that another thread may bring forward.
    using movable = std::atomic<steady_time>;

    /// Who waits looks again after such a time, to see that the limit has been brought forward.
    static constexpr milliseconds slice{50};

    /// Of what has to be cleared up although the outer limits may have been reached.
    struct apart {};

    explicit time_limit(steady_time deadline, movable const* latest = nullptr) noexcept
        : before_(innermost), outer_(innermost), deadline_(deadline), latest_(latest) {
        innermost = this;
    }
    time_limit(steady_time deadline, apart) noexcept
        : before_(innermost), outer_(nullptr), deadline_(deadline), latest_(nullptr) {
        innermost = this;
    }
    ~time_limit() { innermost = before_; }
    time_limit(time_limit const&) = delete;
    time_limit& operator=(time_limit const&) = delete;

    /// Of this thread; far away if it has no limit. It may become earlier while one waits.
    static steady_time end() noexcept {
        auto out = steady_time::max();
        for (auto const* each = innermost; each; each = each->outer_) {
            out = std::min(out, each->deadline_);
            if (each->latest_) out = std::min(out, each->latest_->load());
        }
        return out;
    }

  private:
    static inline thread_local time_limit const* innermost = nullptr;

    time_limit const* before_;
    time_limit const* outer_;  // that counts, too
    steady_time deadline_;
    movable const* latest_;
};

}  // namespace minibatch::store
