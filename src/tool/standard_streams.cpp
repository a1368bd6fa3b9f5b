#include "tool/standard_streams.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "tool/option_values.hpp"

namespace minibatch::tool {

void occupy_closed_descriptors() noexcept {
    for (int const standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        if (::fcntl(standard, F_GETFD) != -1) continue;
        // For the wrong direction, so that its use is an error. `open` returns the lowest number that is free.
        ::open("/dev/null", standard == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    }
}

void write_out(std::string_view text) {
    while (!text.empty()) {
        auto const n = ::write(STDOUT_FILENO, text.data(), text.size());
        if (n >= 0) {
            text.remove_prefix(static_cast<std::size_t>(n));
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            pollfd room{STDOUT_FILENO, POLLOUT, 0};  // somebody else has made it non-blocking
            ::poll(&room, 1, -1);
        } else if (errno == EPIPE) {
            throw output_closed();
        } else if (errno != EINTR) {
            throw output_error(std::string("standard output: ") + std::strerror(errno));
        }
    }
}

bool output_is_closed() noexcept {
    pollfd now{STDOUT_FILENO, 0, 0};
    return ::poll(&now, 1, 0) == 1 && (now.revents & POLLERR) != 0;
}

void complain(std::string_view text) { std::fprintf(stderr, "minibatch: %s\n", printable(text).c_str()); }

void complain_of_line(std::string_view text) { std::fprintf(stderr, "%s\n", printable(text).c_str()); }

}  // namespace minibatch::tool
