#pragma once

#include <condition_variable>
#include <mutex>
#include <utility>

#include "store/store.hpp"

namespace minibatch::store::sqlite {

/// A timed mutex. The thread sanitizer of g++ 12 does not support std::timed_mutex.
class timed_lock {
  public:
    bool try_lock() {
        std::lock_guard const lock(mutex_);
        return !std::exchange(held_, true);
    }
    bool try_lock_until(steady_time deadline) {
        std::unique_lock lock(mutex_);
        if (!released_.wait_until(lock, deadline, [this] { return !held_; })) return false;
        held_ = true;
        return true;
    }
    void unlock() {
        {
            std::lock_guard const lock(mutex_);
            held_ = false;
        }
        released_.notify_one();
    }

  private:
    std::mutex mutex_;
    std::condition_variable released_;
    bool held_ = false;
};

}  // namespace minibatch::store::sqlite
