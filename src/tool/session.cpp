#include "tool/session.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "tool/option_values.hpp"

namespace minibatch::tool {

asio::awaitable<database> session::connect(bool create) const {
    connect_options options;
    options.create = create;
    options.log = [](log_level level, std::string_view text) {
        if (level == log_level::warning || level == log_level::error) complain(text);
    };
    auto opened = co_await minibatch::connect(url, options);
    co_return opened;
}

void write_out(std::string_view text) {
    while (!text.empty()) {
        auto const n = ::write(STDOUT_FILENO, text.data(), text.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) throw output_error(std::string("standard output: ") + std::strerror(errno));
        text.remove_prefix(static_cast<std::size_t>(n));
    }
}

void complain(std::string_view text) { std::fprintf(stderr, "minibatch: %s\n", printable(text).c_str()); }

}  // namespace minibatch::tool
