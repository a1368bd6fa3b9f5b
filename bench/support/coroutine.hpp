#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>

namespace bench {

namespace asio = boost::asio;

/// Begins a coroutine on a context; what it throws comes out of the context's `run`.
inline void spawn(asio::io_context& context, asio::awaitable<void> body) {
    asio::co_spawn(context, std::move(body), [](std::exception_ptr problem) {
        if (problem) std::rethrow_exception(problem);
    });
}

/// Runs a coroutine on a context and thread of its own until it has ended.
inline void run(asio::awaitable<void> body) {
    asio::io_context context(1);
    spawn(context, std::move(body));
    context.run();
}

}  // namespace bench
