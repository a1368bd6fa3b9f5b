#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace minibatch::runtime {

/// Names for the segments that one handle writes, each given once: a segment whose append is repeated is recognized by
/// its name. They begin with random digits, so that no two handles give the same. Thread-safe.
class batch_names {
  public:
    batch_names();
    std::string next() { return prefix_ + std::to_string(count_.fetch_add(1, std::memory_order_relaxed)); }

  private:
    std::string prefix_;
    std::atomic<std::uint64_t> count_ = 0;
};

}  // namespace minibatch::runtime
