#pragma once

#include <signal.h>

namespace minibatch::base {

/// While one exists, threads that this thread starts inherit what the library's threads need: they receive no signals,
/// which are for the application's threads, and their name tells them apart in debuggers and in `top`. It is needed
/// around calls that start threads by themselves, as drivers do; `start_thread` does it by itself.
class thread_inheritance {
  public:
    /// At most 15 bytes of `name` are used.
    explicit thread_inheritance(char const* name = "minibatch") noexcept;
    ~thread_inheritance();
    thread_inheritance(thread_inheritance const&) = delete;
    thread_inheritance& operator=(thread_inheritance const&) = delete;

  private:
    sigset_t signals_{};
    char name_[16] = {};
};

}  // namespace minibatch::base
