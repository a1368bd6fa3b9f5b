#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <cstdlib>
#include <exception>

namespace bench {

namespace asio = boost::asio;

/// Begins a coroutine on a context. What it throws ends the program: others still wait for the database then, and would
/// complete on a context that is gone.
inline void spawn(asio::io_context& context, asio::awaitable<void> body) {
    asio::co_spawn(context, std::move(body), [](std::exception_ptr problem) {
        try {
            if (problem) std::rethrow_exception(problem);
        } catch (std::exception const& failure) {
            std::fprintf(stderr, "%s\n", failure.what());
            std::_Exit(1);
        }
    });
}

/// Runs a coroutine on a context and thread of its own until it has ended.
inline void run(asio::awaitable<void> body) {
    asio::io_context context(1);
    spawn(context, std::move(body));
    context.run();
}

}  // namespace bench
