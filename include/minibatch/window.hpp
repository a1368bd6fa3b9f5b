#pragma once

#include <boost/json/array.hpp>
#include <boost/json/value_to.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <minibatch/detail/initiate.hpp>
#include <minibatch/message.hpp>
#include <minibatch/window_reason.hpp>
#include <optional>
#include <string>
#include <vector>

namespace minibatch {

namespace detail {
class open_window;
}

/// A group of messages, delivered until it is committed. Move-only. Destroying it uncommitted returns it: it is
/// delivered again with the same id, at once if its data was never looked at, else after a back-off as a failure.
///
/// Thread safety: different windows may be used from different threads; one window by one thread at a time.
class window {
  public:
    window() = default;
    explicit window(std::shared_ptr<detail::open_window> state);
    window(window&&) noexcept = default;
    window& operator=(window&& other) noexcept;
    ~window();

    /// Stable across redelivery: `<group>/<partition>/<first>-<last>`, or `<group>/<partition>/@<start>` when empty.
    std::string const& id() const;
    /// The name of the stream.
    std::string const& stream() const;
    int partition() const;
    /// Lowest and highest offset; absent when the window is empty.
    std::optional<std::int64_t> first() const;
    std::optional<std::int64_t> last() const;
    std::size_t size() const;
    bool empty() const { return size() == 0; }
    /// Bounds of a time window, [start, end); for others `created` of the first and the last message.
    time_point start() const;
    time_point end() const;
    window_reason reason() const;
    /// 1 for the first delivery. Counts failures, and holders of the lease that ended without releasing it.
    int attempt() const;

    /// The documents, decoded at the first call. Throws `error` with `errc::corrupt` if one cannot be decoded.
    boost::json::array const& data() const;
    /// The documents, decoded into memory of the caller's choice, anew at each call. A `monotonic_resource` that the
    /// caller owns makes this twice as fast as `data`; nothing copied from the result may outlive it then.
    boost::json::array decode(boost::json::storage_ptr storage) const;
    /// The documents' messages: offset, time, encoded text. Nothing is decoded.
    std::vector<message> const& messages() const;
    /// The documents as values of a type, through `boost::json::value_to`.
    template <class T>
    std::vector<T> as() const {
        std::vector<T> values;
        values.reserve(size());
        for (auto const& document : data()) values.push_back(boost::json::value_to<T>(document));
        return values;
    }

    /// Marks the window's messages as processed. Completes with `void(error_code)` once that is durable.
    ///
    /// Cancellation: terminal; the commit goes on in the background, the result is `errc::outcome_unknown`, and the
    /// window is not delivered again before its outcome is known.
    /// Errors: `fenced` when another consumer has taken over; `window_closed` when it was resolved before;
    /// `outcome_unknown` when the database's answer was lost, as after a cancellation; `unavailable` and other causes,
    /// after which it may be called again.
    template <class Token = boost::asio::use_awaitable_t<>>
    [[nodiscard]] auto commit(Token token = {}) {
        return detail::initiate<>(
            token, [state = state_](detail::completion<> done) { start_commit(state, std::move(done)); });
    }

    /// Gives the window back as failed: it is delivered again after `delay`, by default a growing, jittered back-off
    /// of 100 ms to 30 s. Completes with `void(error_code)` once the failure is counted durably. The reason is logged.
    template <class Token = boost::asio::use_awaitable_t<>>
    [[nodiscard]] auto fail(std::string reason, std::optional<std::chrono::milliseconds> delay = {}, Token token = {}) {
        return detail::initiate<>(
            token, [state = state_, reason = std::move(reason), delay](detail::completion<> done) mutable {
                start_fail(state, std::move(reason), delay, std::move(done));
            });
    }

  private:
    static void start_commit(std::shared_ptr<detail::open_window> const& state, detail::completion<> done);
    static void start_fail(std::shared_ptr<detail::open_window> const& state, std::string reason,
                           std::optional<std::chrono::milliseconds> delay, detail::completion<> done);

    std::shared_ptr<detail::open_window> state_;
};

}  // namespace minibatch
