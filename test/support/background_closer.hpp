#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "store/store.hpp"

namespace minibatch::test {

/// Closes stores on threads of its own: with MongoDB's driver that takes half a second, in which nothing is done. What
/// is left is closed before the program ends. Any thread.
class background_closer {
  public:
    using store_ptr = std::shared_ptr<minibatch::store::store>;

    static background_closer& shared() {
        static background_closer one;
        return one;
    }
    ~background_closer() {
        {
            std::lock_guard const lock(mutex_);
            ending_ = true;
        }
        changed_.notify_all();
        for (auto& each : threads_) each.join();
    }
    background_closer(background_closer const&) = delete;
    background_closer& operator=(background_closer const&) = delete;

    /// The store, which will be closed so when the last pointer to it is gone. Its callbacks must not refer to anything
    /// that ends before the program.
    store_ptr wrap(store_ptr opened) {
        auto* const raw = opened.get();
        return {raw, [this, held = std::move(opened)](auto*) mutable { close(std::move(held)); }};
    }

  private:
    background_closer() {
        for (int i = 0; i < 48; ++i) threads_.emplace_back([this] { run(); });
    }
    void close(store_ptr handle) {
        std::lock_guard const lock(mutex_);
        waiting_.push_back(std::move(handle));
        changed_.notify_one();
    }
    void run() {
        std::unique_lock lock(mutex_);
        for (;;) {
            changed_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
            if (waiting_.empty()) return;
            auto handle = std::move(waiting_.front());
            waiting_.pop_front();
            lock.unlock();
            handle.reset();
            lock.lock();
        }
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    bool ending_ = false;
    std::deque<store_ptr> waiting_;
    std::vector<std::thread> threads_;
};

}  // namespace minibatch::test
