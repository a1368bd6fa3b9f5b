#pragma once

#include <sys/wait.h>
#include <unistd.h>

namespace minibatch::test {

/// Runs `work` in a child process, which then ends at once; its result, 99 if it throws, -1 if it is killed, as it is
/// after 20 s.
template <class Work>
int in_child(Work const& work) {
    auto const child = ::fork();
    if (child == 0) {
        ::alarm(20);
        int result = 99;
        try {
            result = work();
        } catch (...) {
        }
        ::_exit(result);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace minibatch::test
