#pragma once

#include <atomic>
#include <cstdint>

namespace minibatch::store::mongo {

/// Numbers for the commits of one handle, always larger ones. Thread-safe.
class revision_counter {
  public:
    std::int64_t next() { return ++last_; }
    /// One that is larger than `seen`, too.
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
