#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_from.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <minibatch/database.hpp>
#include <minibatch/detail/initiate.hpp>
#include <minibatch/strategy.hpp>
#include <minibatch/window.hpp>
#include <optional>
#include <stop_token>
#include <string>
#include <type_traits>

namespace minibatch {

/// Options of `streaming`. One of `size`, `interval` and `emitter` chooses the strategy; `size` and `interval` together
/// mean a count window with `interval` as its `max_age`.
///
/// With g++ 12, options that contain an emitter, a sink or a stop token must be named variables in a `co_await`
/// expression: that compiler destroys such temporaries twice, even if the members are copies of named variables.
struct streaming_options {
    /// Number of messages in a window.
    std::optional<std::int64_t> size = {};
    /// Length of a time window.
    std::optional<std::chrono::milliseconds> interval = {};
    /// Whether time windows are relaxed instead of fixed.
    bool relaxed = false;
    /// Any other strategy.
    std::optional<strategy> emitter = {};
    /// Whether messages are kept after they have been committed.
    bool keep = false;
    /// Receives the value that the handler returned, before the window is committed. Empty: values are ignored.
    std::function<boost::asio::awaitable<void>(boost::json::value)> sink = {};
    /// Number of handlers that run at the same time, 1 … 1,000. With more than one, windows may finish out of order.
    int max_workers = 1;
    /// Whether time windows without messages are delivered.
    bool emit_empty = true;
    name group = "default";
    /// Stops the loop: no new windows are taken; running handlers finish and their windows are committed. May be
    /// requested from any thread.
    std::stop_token stop = {};
};

namespace detail {

using window_handler = std::function<boost::asio::awaitable<void>(window&)>;

void start_streaming(database db, std::string name, streaming_options options, window_handler handler,
                     completion<> done);

template <class T>
struct awaited;
template <class T, class Executor>
struct awaited<boost::asio::awaitable<T, Executor>> {
    using type = T;
};

}  // namespace detail

/// The consumer loop as one call: opens the stream, takes windows, awaits `handler(window)` for each, and commits it.
/// The handler is a coroutine that takes `window&`. It returns nothing, or a value for the sink. An exception is a
/// failure: the window is delivered again after a back-off. The loop waits during outages of the database, also when it
/// begins.
///
/// Completes with `void(std::exception_ptr)` when it was stopped and all handlers have ended.
/// Executor: any. Each worker runs its handlers on a strand of its own over the caller's executor. On a thread pool up
/// to `max_workers` handlers run at the same time; on a strand or a single thread they take turns whenever they wait.
/// Cancellation: terminal. Running handlers are cancelled, and their windows are delivered again. The code is
/// `asio::error::operation_aborted`.
/// Errors: `invalid_argument` for contradictory options, and errors of the database that do not pass by themselves.
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
    return detail::initiate_as<std::exception_ptr>(token, [db = std::move(db), name = std::move(name),
                                                           options = std::move(options), erased = std::move(erased)](
                                                              detail::completion<> done) mutable {
        detail::start_streaming(std::move(db), std::move(name), std::move(options), std::move(erased), std::move(done));
    });
}

}  // namespace minibatch
