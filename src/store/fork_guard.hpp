#pragma once

#include <pthread.h>

#include <atomic>
#include <minibatch/error.hpp>
#include <new>

namespace minibatch::store {

/// Remembers the process that opened a handle: locks, threads and connections do not survive a fork. Asking is as cheap
/// as reading a number. What does not run the handlers of pthread_atfork (vfork, _Fork, clone) makes children that may
/// call none of this before they exec.
class fork_guard {
  public:
    bool forked() const noexcept { return forks_.load(std::memory_order_relaxed) != opened_after_; }
    void check() const {
        if (forked()) throw problem();
    }
    static error problem() {
        return error(errc::forked, "the database was opened before fork(); open it again in the child");
    }

  private:
    static unsigned watch() {
        static int const failed = ::pthread_atfork(nullptr, nullptr, [] { ++forks_; });
        if (failed != 0) throw std::bad_alloc();
        return forks_;
    }

    static inline std::atomic<unsigned> forks_ = 0;  // between the first process and this one
    unsigned opened_after_ = watch();
};

}  // namespace minibatch::store
