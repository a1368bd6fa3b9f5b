#include "reliability/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <stdexcept>
#include <system_error>

namespace minibatch::test {
namespace {

[[noreturn]] void fail(char const* what) { throw std::system_error(errno, std::generic_category(), what); }

}  // namespace

process::process(std::vector<std::string> const& arguments, std::string const& errors) {
    // Boost.Test takes a child that was killed for an error of the test.
    std::signal(SIGCHLD, SIG_DFL);
    std::vector<char*> words;
    for (auto const& each : arguments) words.push_back(const_cast<char*>(each.c_str()));
    words.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ < 0) fail("fork");
    if (pid_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        auto const file = ::open(errors.c_str(), O_WRONLY | O_APPEND | O_CREAT, 0644);
        if (file >= 0) ::dup2(file, STDERR_FILENO);
        ::execv(words[0], words.data());
        ::_exit(127);
    }
    descriptor_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    if (descriptor_ < 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        fail("pidfd_open");
    }
}

process::~process() {
    kill();
    ::close(descriptor_);
}

void process::signal(int number) const {
    if (!reaped_) ::kill(pid_, number);
}

void process::stop() {
    signal(SIGSTOP);
    siginfo_t state{};
    while (::waitid(P_PID, static_cast<id_t>(pid_), &state, WSTOPPED | WEXITED | WNOWAIT) < 0)
        if (errno != EINTR) fail("waitid");
    if (state.si_code != CLD_STOPPED) throw std::runtime_error("a process ended before it was stopped");
    ::waitid(P_PID, static_cast<id_t>(pid_), &state, WSTOPPED | WNOHANG);
}

void process::kill() {
    signal(SIGKILL);
    reap();
}

bool process::ended(milliseconds limit) {
    if (!reaped_ && !any_ended({this}, limit)) return false;
    reap();
    return true;
}

void process::reap() {
    if (reaped_) return;
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0)
        if (errno != EINTR) fail("waitpid");
    reaped_ = true;
    result_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

bool any_ended(std::vector<process const*> const& which, milliseconds limit) {
    std::vector<pollfd> watched;
    for (auto const* each : which) watched.push_back({each->descriptor(), POLLIN, 0});
    auto const until = std::chrono::steady_clock::now() + limit;
    while (true) {
        auto const left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
        auto const ready =
            ::poll(watched.data(), watched.size(), static_cast<int>(std::max<milliseconds::rep>(left.count(), 0)));
        if (ready >= 0) return ready > 0;
        if (errno != EINTR) fail("poll");
    }
}

}  // namespace minibatch::test
