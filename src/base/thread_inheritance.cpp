#include "base/thread_inheritance.hpp"

#include <pthread.h>

#include <cstdio>

namespace minibatch::base {

thread_inheritance::thread_inheritance(char const* name) noexcept {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &signals_);
    pthread_getname_np(pthread_self(), name_, sizeof name_);
    char cut[sizeof name_];
    std::snprintf(cut, sizeof cut, "%s", name);
    pthread_setname_np(pthread_self(), cut);
}

thread_inheritance::~thread_inheritance() {
    pthread_setname_np(pthread_self(), name_);
    pthread_sigmask(SIG_SETMASK, &signals_, nullptr);
}

}  // namespace minibatch::base
