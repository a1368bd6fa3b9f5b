#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <exception>
#include <functional>

namespace test {

namespace asio = boost::asio;

/// Runs a coroutine on a context of its own until it and all that it started have ended. Fails the test if that takes
/// longer than `limit`; rethrows what the coroutine threw.
inline void run(std::function<asio::awaitable<void>()> body, std::chrono::seconds limit = std::chrono::seconds(120)) {
    asio::io_context context;
    std::exception_ptr problem;
    bool ended = false;
    asio::co_spawn(context, std::move(body), [&](std::exception_ptr thrown) {
        problem = thrown;
        ended = true;
    });
    context.run_for(limit);
    BOOST_REQUIRE_MESSAGE(ended, "the coroutine did not end within " << limit.count() << " s");
    if (problem) std::rethrow_exception(problem);
}

}  // namespace test

/// A test case whose body is a coroutine.
#define COROUTINE_TEST(name)                                 \
    static boost::asio::awaitable<void> name##_body();       \
    BOOST_AUTO_TEST_CASE(name) { ::test::run(name##_body); } \
    static boost::asio::awaitable<void> name##_body()
