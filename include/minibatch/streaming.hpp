#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_from.hpp>
#include <chrono>
#include <functional>
#include <minibatch/database.hpp>
#include <minibatch/strategy.hpp>
#include <minibatch/window.hpp>
#include <optional>
#include <stop_token>
#include <string>
#include <type_traits>

namespace minibatch {

/// How `streaming` makes windows and runs the handler. Exactly one of `size`, `interval` and `emitter` chooses the
/// strategy, but `size` and `interval` together mean a count window with `interval` as its maximal age.
///
/// With g++ 12, options that hold a custom emitter, a sink or a stop token must be given a name before they are passed
/// in a `co_await` expression: that compiler destroys such temporaries twice, even if what they hold has a name.
struct streaming_options {
    /// Messages in a window.
    std::optional<std::int64_t> size = {};
    /// Length of a time window.
    std::optional<std::chrono::milliseconds> interval = {};
    /// Whether time windows are relaxed (all that arrived since the last one) rather than fixed.
    bool relaxed = false;
    /// Any other strategy.
    std::optional<strategy> emitter = {};
    /// Whether messages stay after they have been committed.
    bool keep = false;
    /// Receives what the handler returned, before the window is committed. Empty: the handler returns nothing.
    std::function<boost::asio::awaitable<void>(boost::json::value)> sink = {};
    /// Handlers that run at the same time, 1 … 1,000. With more than one, windows may finish out of order.
    int max_workers = 1;
    /// Whether time windows without messages are handed to the handler.
    bool emit_empty = true;
    name group = "default";
    /// Ends the loop: no new windows, those in hand are finished and committed.
    std::stop_token stop = {};
};

namespace detail {

using window_handler = std::function<boost::asio::awaitable<void>(window&)>;

boost::asio::awaitable<void> run_streaming(database db, std::string name, streaming_options options,
                                           window_handler handler);

template <class T>
struct awaited;
template <class T, class Executor>
struct awaited<boost::asio::awaitable<T, Executor>> {
    using type = T;
};

}  // namespace detail

/// The consumer loop as one call: opens the stream, takes windows, awaits `handler(window)` for each, and commits. The
/// handler is a coroutine that takes `window&`, and returns nothing or a value for the sink. An exception it throws is
/// a failure: the window is delivered again after a back-off. Outages of the database are waited for.
///
/// Completes with `void(std::exception_ptr)` when stopped. Runs on the caller's executor, which must be a strand or a
/// single thread if `max_workers` is above 1 and the handler is not thread-safe.
/// Cancellation: terminal; running handlers are cancelled, and their windows are delivered again later.
/// Errors: `invalid_argument` for options that contradict each other, and those of the database that last.
template <class Handler, class Token = boost::asio::use_awaitable_t<>>
[[nodiscard]] auto streaming(database db, std::string name, streaming_options options, Handler handler,
                             Token token = {}) {
    using result = typename detail::awaited<std::invoke_result_t<Handler&, window&>>::type;
    detail::window_handler erased;
    if constexpr (std::is_void_v<result>) {
        erased = std::move(handler);
    } else {
        erased = [handler = std::move(handler),
                  sink = options.sink](window& w) mutable -> boost::asio::awaitable<void> {
            auto value = boost::json::value_from(co_await handler(w));
            if (sink) co_await sink(std::move(value));
        };
    }
    if constexpr (detail::is_use_awaitable<Token>) {
        return detail::run_streaming(std::move(db), std::move(name), std::move(options), std::move(erased));
    } else {
        return boost::asio::co_spawn(
            boost::asio::get_associated_executor(token),
            detail::run_streaming(std::move(db), std::move(name), std::move(options), std::move(erased)),
            std::move(token));
    }
}

}  // namespace minibatch
