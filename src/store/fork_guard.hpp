#pragma once

#include <unistd.h>

#include <minibatch/error.hpp>

namespace minibatch::store {

/// Remembers the process that opened a handle: locks, threads and connections do not survive a fork.
class fork_guard {
  public:
    bool forked() const noexcept { return ::getpid() != opened_by_; }
    void check() const {
        if (forked()) throw error(errc::forked, "the database was opened before fork(); open it again in the child");
    }

  private:
    pid_t opened_by_ = ::getpid();
};

}  // namespace minibatch::store
