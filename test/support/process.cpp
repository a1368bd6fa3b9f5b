#include "support/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace minibatch::test {
namespace {

[[noreturn]] void fail(char const* what) { throw std::system_error(errno, std::generic_category(), what); }

/// A thread that starts all processes. It lives as long as the test, since the kernel takes the end of the thread that
/// started a process for the end of its parent (PR_SET_PDEATHSIG).
class launcher {
  public:
    static launcher& instance() {
        static launcher only;
        return only;
    }
    pid_t run(std::function<pid_t()> work) {
        std::packaged_task<pid_t()> task(std::move(work));
        auto result = task.get_future();
        {
            std::lock_guard const lock(mutex_);
            tasks_.push_back(std::move(task));
        }
        changed_.notify_one();
        return result.get();
    }

  private:
    launcher() = default;
    ~launcher() {
        {
            std::lock_guard const lock(mutex_);
            ended_ = true;
        }
        changed_.notify_one();
        thread_.join();
    }
    void serve() {
        std::unique_lock lock(mutex_);
        while (true) {
            changed_.wait(lock, [this] { return ended_ || !tasks_.empty(); });
            if (tasks_.empty()) return;
            auto task = std::move(tasks_.front());
            tasks_.pop_front();
            lock.unlock();
            task();
            lock.lock();
        }
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::packaged_task<pid_t()>> tasks_;
    bool ended_ = false;
    std::thread thread_{[this] { serve(); }};
};

void append_to(std::string const& name, int descriptor) {
    auto const file = ::open(name.c_str(), O_WRONLY | O_APPEND | O_CREAT, 0644);
    if (file >= 0) ::dup2(file, descriptor);
}

/// What the child does. Other threads of the test may have held locks when it was made: nothing that needs one.
[[noreturn]] void start(pid_t test, std::vector<char*> const& words, std::vector<char*> const& environment,
                        std::string const& errors, std::string const& output) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != test) ::_exit(127);
    append_to(errors, STDERR_FILENO);
    if (!output.empty()) append_to(output, STDOUT_FILENO);
    // A socket that lives on in here would not be closed when the test closes it.
    ::close_range(3, ~0U, 0);
    ::execvpe(words[0], words.data(), environment.data());
    ::_exit(127);
}

std::vector<char*> pointers(std::vector<std::string> const& strings) {
    std::vector<char*> result;
    for (auto const& each : strings) result.push_back(const_cast<char*>(each.c_str()));
    result.push_back(nullptr);
    return result;
}

/// That of the test, and: the MongoDB driver shares no counters in /dev/shm/mongoc-PID, which a process that is killed
/// would leave to trouble a later one of the same number.
std::vector<std::string> environment_of_children() {
    std::vector<std::string> result{"MONGOC_DISABLE_SHM=1"};
    for (auto each = ::environ; *each != nullptr; ++each) result.emplace_back(*each);
    return result;
}

}  // namespace

process::process(std::vector<std::string> const& arguments, std::string const& errors, std::string const& output) {
    // Boost.Test takes a child that was killed for an error of the test.
    std::signal(SIGCHLD, SIG_DFL);
    auto const words = pointers(arguments);
    auto const variables = environment_of_children();
    auto const environment = pointers(variables);
    auto const test = ::getpid();
    pid_ = launcher::instance().run([&] {
        auto const child = ::fork();
        if (child == 0) start(test, words, environment, errors, output);
        return child;
    });
    if (pid_ < 0) fail("fork");
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
