#pragma once

#include <thread>
#include <utility>

#include "base/current_error.hpp"
#include "base/thread_inheritance.hpp"

namespace minibatch::base {

/// Starts a thread of the library. Throws `error` with `errc::unavailable` when no thread can be started. No exception
/// may leave `work`: whoever starts a thread knows where its failures are to be reported.
template <class Work>
std::thread start_thread(char const* name, Work work) {
    try {
        thread_inheritance const inherited(name);
        return std::thread(std::move(work));
    } catch (...) {
        throw current_error("starting a thread");
    }
}

}  // namespace minibatch::base
