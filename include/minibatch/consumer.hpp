#pragma once

#include <memory>
#include <minibatch/detail/initiate.hpp>
#include <minibatch/options.hpp>
#include <minibatch/window.hpp>
#include <optional>

namespace minibatch {

namespace detail {
class consumer_core;
}

/// The result of `consumer::stop`, which has taken effect already. It may be awaited, called with a completion token
/// for `void(error_code)`, or ignored. The only error is `forked`.
class stop_request {
  public:
    template <boost::asio::completion_token_for<void(error_code)> Token>
    auto operator()(Token&& token) const {
        return detail::initiate<>(token,
                                  [taken = taken_](detail::completion<> done) { complete(taken, std::move(done)); });
    }

  private:
    friend class consumer;
    explicit stop_request(bool taken) noexcept : taken_(taken) {}
    static void complete(bool taken, detail::completion<> done);

    bool taken_;
};

/// Receives the windows of one group of a stream. A cheap handle: copies share the same consumer. Destroying the last
/// copy stops the consumer as `stop()` does.
///
/// Thread safety: all members may be called from any thread at the same time.
class consumer {
  public:
    consumer() = default;
    explicit consumer(std::shared_ptr<detail::consumer_core> core);

    /// Waits for the next window. Completes with `void(error_code, std::optional<window>)`. The result is empty once
    /// the consumer was stopped and has drained. Several calls may wait; they are served in order.
    ///
    /// No time-out applies to the wait for messages or for the lease.
    /// Cancellation: all types. No window is lost. The code is `asio::error::operation_aborted`.
    /// Errors: `unavailable` when an outage outlasts the time-out of the handle (the consumer recovers by itself; call
    /// again), `stream_deleted`, `corrupt`, `emitter_failed`, `too_many_pending`.
    template <class Token = boost::asio::use_awaitable_t<>>
    [[nodiscard]] auto next_window(Token token = {}) {
        return detail::initiate<std::optional<window>>(
            token,
            [core = core_](detail::completion<std::optional<window>> done) { start_next(core, std::move(done)); });
    }

    /// Stops the consumer. It makes no new windows. Windows in flight may still be committed; then `next_window`
    /// returns empty and the lease is released.
    ///
    /// Takes effect at the call, whether or not the result is awaited. Awaiting the result does not wait for the drain.
    /// A later call with `drain::release`, or destroying the last handle, ends a flush. With `drain::release` an
    /// unreachable database is waited for up to two seconds; after that the lease is left to expire.
    stop_request stop(drain remainder = drain::release) { return stop_request(request_stop(core_, remainder)); }

  private:
    static void start_next(std::shared_ptr<detail::consumer_core> const& core,
                           detail::completion<std::optional<window>> done);
    static bool request_stop(std::shared_ptr<detail::consumer_core> const& core, drain remainder);

    std::shared_ptr<detail::consumer_core> core_;
};

}  // namespace minibatch

template <>
struct boost::asio::is_async_operation<minibatch::stop_request> : std::true_type {};
