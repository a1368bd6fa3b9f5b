#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace minibatch::test {

using std::chrono::milliseconds;

/// Another program that runs beside the test: a worker, a server. It is killed when the object is destroyed, and dies
/// with the test, not with the thread that started it. It gets no file that the test has open. For one thread at a
/// time.
class process {
  public:
    /// `arguments` as in the shell, the program first: its file, or a name that is looked for in PATH. Standard error
    /// and, if named, standard output are appended to files. Exit code 127: the program could not be run.
    process(std::vector<std::string> const& arguments, std::string const& errors, std::string const& output = {});
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
    pid_t id() const { return pid_; }

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
