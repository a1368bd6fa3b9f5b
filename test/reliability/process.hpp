#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace minibatch::test {

using std::chrono::milliseconds;

/// A worker process. It is killed when the object is destroyed, and dies with the test.
class process {
  public:
    /// `arguments` as in the shell, the program's file first; standard error is appended to a file.
    process(std::vector<std::string> const& arguments, std::string const& errors);
    ~process();
    process(process const&) = delete;
    process& operator=(process const&) = delete;

    void signal(int number) const;
    /// SIGSTOP, and waits until it stands still.
    void stop();
    /// SIGKILL, and waits for the end.
    void kill();
    /// Waits for the end; false: it did not come within the limit.
    bool ended(milliseconds limit);
    /// After the end: the exit code, or the negative number of the signal.
    int result() const { return result_; }
    /// Readable when the process has ended.
    int descriptor() const { return descriptor_; }

  private:
    void reap();

    pid_t pid_ = -1;
    int descriptor_ = -1;
    bool reaped_ = false;
    int result_ = 0;
};

/// Waits until one of the processes has ended, or the time is over. True: one has ended.
bool any_ended(std::vector<process const*> const& which, milliseconds limit);

}  // namespace minibatch::test
