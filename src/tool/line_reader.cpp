#include "tool/line_reader.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace minibatch::tool {
namespace {

constexpr std::size_t block_bytes = std::size_t{256} * 1024;

}  // namespace

line_reader::line_reader(std::vector<std::string> files, std::size_t max_line_bytes)
    : files_(std::move(files)),
      max_line_bytes_(max_line_bytes),
      wake_up_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      block_(block_bytes) {
    if (wake_up_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
}

line_reader::~line_reader() {
    close_file();
    ::close(wake_up_);
}

line_reader::status line_reader::read(std::vector<input_line>& lines) {
    lines.clear();
    for (;;) {
        if (input_ < 0 && !open_next()) return status::end;
        if (!wait_for_input()) return status::stopped;
        auto const got = ::read(input_, block_.data(), block_.size());
        if (got < 0) {
            if (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK) continue;
            fail(errno);
        }
        if (got == 0) {
            end_file(lines);
        } else {
            split({block_.data(), static_cast<std::size_t>(got)}, lines);
        }
        if (!lines.empty()) return status::lines;
    }
}

void line_reader::stop() noexcept {
    // The counter is never read, so that it stays readable: whoever waits later finds it, too.
    auto const saved = errno;
    std::uint64_t const one = 1;
    [[maybe_unused]] auto const written = ::write(wake_up_, &one, sizeof one);
    errno = saved;
}

bool line_reader::open_next() {
    if (next_file_ == files_.size()) return false;
    file_ = files_[next_file_++];
    number_ = 0;
    if (file_ == "-") {
        input_ = STDIN_FILENO;
        return true;
    }
    // Not blocking, for the sake of pipes with a name: one waits for their writer in poll, where it can be stopped.
    input_ = ::open(files_[next_file_ - 1].c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (input_ < 0) fail(errno);
    return true;
}

void line_reader::close_file() noexcept {
    if (input_ > STDIN_FILENO) ::close(input_);
    input_ = -1;
}

/// False when stopped.
bool line_reader::wait_for_input() const {
    std::array<pollfd, 2> wait{{{input_, POLLIN, 0}, {wake_up_, POLLIN, 0}}};
    while (::poll(wait.data(), wait.size(), -1) < 0) {
        if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "poll");
    }
    return wait[1].revents == 0;
}

void line_reader::split(std::string_view block, std::vector<input_line>& lines) {
    while (!block.empty()) {
        auto const end = block.find('\n');
        if (end == std::string_view::npos) break;
        auto const line = block.substr(0, end);
        block.remove_prefix(end + 1);
        if (skipping_) {
            skipping_ = false;
        } else {
            take(line, lines);
        }
    }
    if (block.empty() || skipping_) return;
    if (unfinished_.size() + block.size() > max_line_bytes_) {
        take(block, lines);
        skipping_ = true;
    } else {
        unfinished_.append(block);
    }
}

void line_reader::end_file(std::vector<input_line>& lines) {
    if (!unfinished_.empty()) take({}, lines);
    skipping_ = false;
    close_file();
}

/// Hands over what is unfinished with the rest of its line.
void line_reader::take(std::string_view rest, std::vector<input_line>& lines) {
    input_line line;
    line.file = file_;
    line.number = ++number_;
    if (unfinished_.size() + rest.size() > max_line_bytes_) {
        line.too_large = true;
        unfinished_ = {};
    } else if (unfinished_.empty()) {
        line.text.assign(rest);
    } else {
        unfinished_.append(rest);
        line.text = std::move(unfinished_);
        unfinished_ = {};
    }
    lines.push_back(std::move(line));
}

void line_reader::fail(int error_number) {
    std::string const name(file_);
    unfinished_ = {};
    skipping_ = false;
    close_file();
    throw std::system_error(error_number, std::generic_category(), name);
}

}  // namespace minibatch::tool
