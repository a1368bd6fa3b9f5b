#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "runtime/queued_write.hpp"

namespace minibatch::runtime {

/// How many appends go to the store together.
struct batch_limits {
    /// Appends are joined until their segment is as large as this. What is larger by itself is not copied.
    std::size_t full_segment_bytes = std::size_t{64} << 10;
    /// No more than one full segment, because the next one is prepared meanwhile.
    bool one_segment = false;
    /// A transaction of about this size is efficient and does not hold up the next for long.
    std::size_t max_bytes = std::size_t{8} << 20;
};

/// Appends in the order in which they arrived, which is also that of their deadlines. Not thread-safe.
class append_queue {
  public:
    void push(queued_append&& item);

    bool empty() const noexcept { return items_.empty(); }
    std::size_t bytes() const noexcept { return bytes_; }
    /// Precondition: not empty.
    queued_append const& front() const { return items_.front(); }
    /// Precondition: not empty.
    queued_append pop();
    /// Removes the appends that are to be written next, from the front.
    std::deque<queued_append> take(batch_limits const& limits);

    /// Removes one of them; absent: it is not here.
    std::optional<queued_append> cancel(append_ticket which);
    /// Moves those whose deadline has passed to `late`. Returns their bytes.
    std::size_t expire(steady_time now, std::vector<queued_append>& late);
    /// The first deadline; absent: the queue is empty.
    std::optional<steady_time> first_deadline() const;

  private:
    std::deque<queued_append> items_;
    std::size_t bytes_ = 0;
};

}  // namespace minibatch::runtime
