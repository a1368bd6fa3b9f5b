#pragma once

#include <atomic>

#include "store/store.hpp"

namespace minibatch::test {

/// A database's clock that stands still until it is set; the steady clock is the machine's.
class fake_clock final : public store::clock {
  public:
    std::atomic<store::time_ms> time = 1'000'000;
    store::time_ms system_now() override { return time; }
    store::steady_time steady_now() override { return std::chrono::steady_clock::now(); }
};

}  // namespace minibatch::test
