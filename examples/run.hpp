#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <iostream>

/// Runs a coroutine to its end on one thread. Returns what main shall return: an error is printed.
inline int run(boost::asio::awaitable<void> program) {
    boost::asio::io_context io(1);
    std::exception_ptr failure;
    boost::asio::co_spawn(io, std::move(program), [&failure](std::exception_ptr problem) { failure = problem; });
    try {
        io.run();
        if (failure) std::rethrow_exception(failure);
    } catch (std::exception const& problem) {
        std::cerr << "error: " << problem.what() << '\n';
        return 1;
    }
    return std::cout.flush() ? 0 : 1;
}
