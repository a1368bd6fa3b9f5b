#pragma once

#include <atomic>
#include <cstdint>

namespace minibatch::store::mongo {

/// Increasing numbers for the commits of one handle. Thread-safe.
class revision_counter {
  public:
    std::int64_t next() { return ++last_; }
    /// A number that is also larger than `seen`.
    std::int64_t beyond(std::int64_t seen) {
        auto last = last_.load();
        while (last < seen && !last_.compare_exchange_weak(last, seen)) {
        }
        return next();
    }

  private:
    std::atomic<std::int64_t> last_ = 0;
};

}  // namespace minibatch::store::mongo
