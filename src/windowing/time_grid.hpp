#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "log/segment.hpp"

namespace date {
class time_zone;
}

namespace minibatch::windowing {

using log::time_ms;

/// The bounds of fixed time windows, numbered in the order of time: window i is [start_of(i), start_of(i + 1)). Without
/// a time zone all are of one length, counted from the Unix epoch plus an offset. With one they are so many local days,
/// counted from 1970-01-01, which begin at midnight plus the offset by the clocks there; a day on which these are
/// changed is shorter or longer, and one that a zone has left out has no length.
class time_grid {
  public:
    /// Throws `errc::invalid_argument` for an unknown time zone, and for one with an interval that is not whole days.
    /// Preconditions: interval > 0; both are small enough to be added to any time.
    time_grid(std::chrono::milliseconds interval, std::chrono::milliseconds offset, std::string_view zone = {});

    /// The window that `time` is in.
    std::int64_t index_of(time_ms time) const;
    time_ms start_of(std::int64_t index) const;
    time_ms end_of(std::int64_t index) const { return start_of(index + 1); }
    /// The first from `index` on that has a length.
    std::int64_t first_from(std::int64_t index) const;

  private:
    time_ms to_local(time_ms time) const;

    time_ms interval_;
    time_ms offset_;
    date::time_zone const* zone_ = nullptr;
};

}  // namespace minibatch::windowing
