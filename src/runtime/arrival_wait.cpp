#include "runtime/arrival_wait.hpp"

#include <thread>

namespace minibatch::runtime {

void arrival_wait::arrived(steady_time now) noexcept {
    if (longest_.count() == 0) return;
    if (asleep_) worthwhile_ = now - asleep_since_ <= longest_;
    asleep_ = false;
    count_.fetch_add(1, std::memory_order_release);
}

void arrival_wait::sleeps(steady_time now) noexcept {
    asleep_ = true;
    asleep_since_ = now;
    worthwhile_ = false;
}

bool arrival_wait::wait(std::uint64_t seen) const noexcept {
    auto const end = std::chrono::steady_clock::now() + longest_;
    while (count_.load(std::memory_order_acquire) == seen) {
        if (std::chrono::steady_clock::now() >= end) return false;
        // Others that are ready on this processor go first.
        std::this_thread::yield();
    }
    return true;
}

}  // namespace minibatch::runtime
