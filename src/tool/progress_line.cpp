#include "tool/progress_line.hpp"

#include <unistd.h>

#include <cstdio>
#include <utility>

namespace minibatch::tool {
namespace {

constexpr std::chrono::seconds period{1};

}  // namespace

progress_line::progress_line() : terminal_(::isatty(STDERR_FILENO) != 0), next_(clock::now() + period) {}

void progress_line::show(std::string const& text) {
    if (!terminal_ || clock::now() < next_) return;
    std::fprintf(stderr, "\r%s", text.c_str());
    next_ = clock::now() + period;
    shown_ = true;
}

void progress_line::end() {
    if (std::exchange(shown_, false)) std::fputs("\r\x1b[K", stderr);
}

}  // namespace minibatch::tool
