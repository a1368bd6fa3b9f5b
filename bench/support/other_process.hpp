#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace bench {

/// A program that runs beside this one. Its standard output comes here. Killed when this object goes.
class process {
  public:
    explicit process(std::vector<std::string> command);
    ~process();
    process(process const&) = delete;
    process& operator=(process const&) = delete;

    /// Waits until the process has ended and returns its output. Throws if it failed.
    std::string output();
    bool running();

  private:
    void close_pipe();
    std::string name_;
    pid_t id_ = -1;
    int pipe_ = -1;
    int status_ = 0;
};

/// This program again, as `--child ARGUMENTS`.
std::vector<std::string> own_child(std::vector<std::string> const& arguments);

}  // namespace bench
