#pragma once

#include <chrono>
#include <string>

namespace minibatch::tool {

/// A line on standard error that is overwritten once a second while a command works. Only on a terminal.
class progress_line {
  public:
    progress_line();
    void show(std::string const& text);
    /// Removes it.
    void end();

  private:
    using clock = std::chrono::steady_clock;
    bool const terminal_;
    clock::time_point next_;
    bool shown_ = false;
};

}  // namespace minibatch::tool
