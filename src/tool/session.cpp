#include "tool/session.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "tool/option_values.hpp"

namespace minibatch::tool {

namespace {

asio::awaitable<database> open(std::string url, connect_options options) {
    options.log = [](log_level level, std::string_view text) {
        if (level == log_level::warning || level == log_level::error) complain(text);
    };
    auto opened = co_await minibatch::connect(std::move(url), options);
    co_return opened;
}

}  // namespace

asio::awaitable<database> session::connect(bool create) const {
    connect_options options;
    options.create = create;
    return open(url, std::move(options));
}

asio::awaitable<database> session::connect_for_reading() const {
    connect_options options;
    options.read_only = true;
    return open(url, std::move(options));
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
