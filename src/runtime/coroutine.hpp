#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <optional>
#include <type_traits>

#include "runtime/scheduler.hpp"
#include "runtime/wait_budget.hpp"
#include "runtime/write_queue.hpp"

/// What the runtime's coroutines wait for. They all run on the loop and are resumed there. Arguments of awaited calls
/// are named first: g++ 12 destroys capturing lambdas and aggregates twice that are written inside a `co_await`
/// expression.
namespace minibatch::runtime {

/// Runs a blocking call on a worker; its exception is thrown here.
template <class Call>
asio::awaitable<std::invoke_result_t<Call>> on_worker(environment const& env, wait_budget& bounds, Call call) {
    using result = std::invoke_result_t<Call>;
    auto token = asio::use_awaitable;
    auto start = [&env, &bounds](auto caller, Call work) {
        auto handler = bounds.wait(std::move(caller), [](auto resume, error const& problem) {
            std::move(resume)(std::make_exception_ptr(problem), std::optional<result>());
        });
        asio::post(env.workers, [loop = env.loop, handler = std::move(handler), work = std::move(work)]() mutable {
            std::exception_ptr problem;
            std::optional<result> value;
            try {
                value = work();
            } catch (...) {
                problem = std::current_exception();
            }
            // Nothing of the exception stays here: only one thread at a time has to do with it.
            asio::post(
                loop, [handler = std::move(handler), problem = std::move(problem), value = std::move(value)]() mutable {
                    auto outcome = problem ? std::optional<result>() : std::move(value);
                    std::move(handler)(std::move(problem), std::move(outcome));
                });
        });
    };
    auto value =
        co_await asio::async_initiate<asio::use_awaitable_t<> const, void(std::exception_ptr, std::optional<result>)>(
            std::move(start), token, std::move(call));
    co_return std::move(*value);
}

/// Queues a write and waits for its result; an `error` in it is thrown.
template <class Result>
asio::awaitable<Result> written(environment const& env, wait_budget& bounds, write_queue& queue,
                                store::write_request request) {
    auto token = asio::use_awaitable;
    // NOLINTNEXTLINE(performance-unnecessary-value-param): it is moved from
    auto start = [&env, &bounds, &queue](auto caller, store::write_request what) {
        auto handler = bounds.wait(std::move(caller), [](auto resume, error const& problem) {
            std::move(resume)(store::write_result(problem));
        });
        queue.submit(std::move(what),
                     [loop = env.loop, handler = std::move(handler)](store::write_result outcome) mutable {
                         asio::post(loop, [handler = std::move(handler), outcome = std::move(outcome)]() mutable {
                             std::move(handler)(std::move(outcome));
                         });
                     });
    };
    auto outcome = co_await asio::async_initiate<asio::use_awaitable_t<> const, void(store::write_result)>(
        std::move(start), token, std::move(request));
    if (auto* problem = std::get_if<error>(&outcome)) throw std::move(*problem);
    co_return std::get<Result>(std::move(outcome));
}

/// A flag that one coroutine waits for. Used on the loop alone.
class wake_signal {
  public:
    void notify() {
        raised_ = true;
        if (auto waiter = std::exchange(waiter_, nullptr)) std::move(waiter)();
    }

    /// Returns when notified (at once if that has happened since the last wait) or at `until`.
    asio::awaitable<void> wait(environment const& env, std::optional<steady_time> until) {
        if (!raised_) {
            std::unique_ptr<timer> alarm;
            if (until) alarm = env.time->at(*until, [this] { notify(); });
            auto token = asio::use_awaitable;
            auto start = [this, loop = env.loop](auto handler) {
                waiter_ = [loop, handler = std::move(handler)]() mutable { asio::post(loop, std::move(handler)); };
            };
            co_await asio::async_initiate<asio::use_awaitable_t<> const, void()>(std::move(start), token);
        }
        raised_ = false;
    }

  private:
    bool raised_ = false;
    detail::any_handler<void()> waiter_;
};

}  // namespace minibatch::runtime
