#include "tool/line_reader.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "tool/input_format.hpp"

namespace minibatch::tool {
namespace {

constexpr std::size_t block_bytes = std::size_t{256} * 1024;

}  // namespace

std::string to_string(line_place const& where) { return std::string(where.file) + ":" + std::to_string(where.number); }

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
        auto most = block_.size();
        if (!wait_for_input()) {
            if (!left_) left_ = bytes_in_pipe();
            most = std::min(most, *left_);
            if (most == 0 && !at_end()) {
                if (!is_pipe()) {  // a file still has the line
                    unfinished_.clear();
                    first_bytes_.clear();
                }
                return status::stopped;
            }
        }
        auto const got = most == 0 ? 0 : ::read(input_, block_.data(), most);
        if (got < 0) {
            if (errno == EAGAIN || errno == EWOULDBLOCK) {
                if (left_) left_ = 0;  // somebody else reads the pipe, too
                continue;
            }
            if (errno == EINTR) continue;
            fail(errno);
        }
        if (left_) *left_ -= static_cast<std::size_t>(got);
        if (got == 0) {
            end_file(lines);
        } else if (begun_) {
            split({block_.data(), static_cast<std::size_t>(got)}, lines);
        } else {
            begin_file({block_.data(), static_cast<std::size_t>(got)}, lines);
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

std::optional<line_place> line_reader::incomplete() const {
    if (dropped_) return dropped_;
    if (unfinished_.empty() && first_bytes_.empty()) return std::nullopt;
    return line_place{file_, number_ + 1};
}

bool line_reader::open_next() {
    if (next_file_ == files_.size()) return false;
    file_ = files_[next_file_++];
    number_ = 0;
    begun_ = false;
    any_text_ = false;
    left_.reset();
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

/// Whether what is read is gone from the input: that of a pipe or a socket.
bool line_reader::is_pipe() const noexcept {
    struct stat is {};
    return ::fstat(input_, &is) == 0 && (S_ISFIFO(is.st_mode) || S_ISSOCK(is.st_mode));
}

/// What a pipe holds now; reading so much does not wait. Zero for everything else.
std::size_t line_reader::bytes_in_pipe() const noexcept {
    if (!is_pipe()) return 0;
    int count = 0;
    return ::ioctl(input_, FIONREAD, &count) == 0 && count > 0 ? static_cast<std::size_t>(count) : 0;
}

/// Whether the next read would find the end of the file at once.
bool line_reader::at_end() const noexcept {
    struct stat is {};
    if (::fstat(input_, &is) != 0) return false;
    if (S_ISREG(is.st_mode)) return ::lseek(input_, 0, SEEK_CUR) >= is.st_size;
    pollfd now{input_, POLLIN, 0};
    return ::poll(&now, 1, 0) == 1 && (now.revents & (POLLIN | POLLHUP)) == POLLHUP;
}

/// The first bytes wait until they tell the format.
void line_reader::begin_file(std::string_view block, std::vector<input_line>& lines) {
    first_bytes_.append(block);
    bool const enough =
        first_bytes_.size() >= format_bytes || first_bytes_.find('\n') != std::string::npos || block.empty();
    if (!enough) return;
    auto const text = std::exchange(first_bytes_, {});
    std::size_t mark = 0;
    try {
        mark = check_format(text, file_);
    } catch (wrong_format const&) {
        abandon_file();
        throw;
    }
    begun_ = true;
    split(std::string_view(text).substr(mark), lines);
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
    if (!begun_) begin_file({}, lines);
    if (!unfinished_.empty()) take({}, lines);
    skipping_ = false;
    close_file();
}

/// Hands over what is unfinished with the rest of its line.
void line_reader::take(std::string_view rest, std::vector<input_line>& lines) {
    input_line line;
    line.file = file_;
    line.number = ++number_;
    if (!any_text_) {
        for (auto const part : {std::string_view(unfinished_), rest}) {
            auto const first = part.find_first_not_of(" \t\r");
            if (first == std::string_view::npos) continue;
            any_text_ = true;
            line.begins_array = part[first] == '[';
            break;
        }
    }
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

/// Gives the file up, with the line that was begun.
void line_reader::abandon_file() {
    if (begun_) dropped_ = incomplete();
    unfinished_ = {};
    first_bytes_ = {};
    skipping_ = false;
    close_file();
}

void line_reader::fail(int error_number) {
    auto const name = shown_name(file_);
    abandon_file();
    throw std::system_error(error_number, std::generic_category(), name);
}

}  // namespace minibatch::tool
