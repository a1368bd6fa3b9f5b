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

/// A group of messages, which is delivered until it is committed. Move-only. Destroying an uncommitted window returns
/// it: it is delivered again with the same id, at once if its data was not accessed, else after a back-off, as a
/// failure.
///
/// Thread safety: distinct windows may be used from different threads. A window is used by one thread at a time.
class window {
  public:
    window() = default;
    explicit window(std::shared_ptr<detail::open_window> state);
    window(window&&) noexcept = default;
    window& operator=(window&& other) noexcept;
    ~window();

    /// The id, the same at each delivery: `<group>/<partition>/<first>-<last>`, or `<group>/<partition>/@<start>` for
    /// an empty window.
    std::string const& id() const;
    /// The name of the stream.
    std::string const& stream() const;
    int partition() const;
    /// Lowest and highest offset. Absent in an empty window.
    std::optional<std::int64_t> first() const;
    std::optional<std::int64_t> last() const;
    std::size_t size() const;
    bool empty() const { return size() == 0; }
    /// Bounds of a time window, [start, end). For other windows, `created` of the first and of the last message.
    time_point start() const;
    time_point end() const;
    window_reason reason() const;
    /// Number of this delivery, 1 for the first: 1 plus the failures, plus the holders of the lease that ended without
    /// releasing it.
    int attempt() const;

    /// Returns the documents. They are decoded at the first call. Throws `error` with `errc::corrupt` if one cannot be
    /// decoded.
    boost::json::array const& data() const;
    /// Decodes the documents into storage of the caller, at each call. With a `monotonic_resource` this is twice as
    /// fast as `data`; copies that share its storage must not outlive it.
    boost::json::array decode(boost::json::storage_ptr storage) const;
    /// Returns the messages, with offset, time and encoded text. Nothing is decoded.
    std::vector<message> const& messages() const;
    /// Returns the documents as values of a type, converted by `boost::json::value_to`.
    template <class T>
    std::vector<T> as() const {
        std::vector<T> values;
        values.reserve(size());
        for (auto const& document : data()) values.push_back(boost::json::value_to<T>(document));
        return values;
    }

    /// Marks the messages of the window as processed. Completes with `void(error_code)` when that is durable.
    ///
    /// Cancellation: terminal. The code is `errc::outcome_unknown`. The commit continues in the background, and the
    /// window is not delivered again before the outcome is known.
    /// Errors: `fenced` if another consumer has taken over; `window_closed` if the window was resolved before;
    /// `outcome_unknown` also if the answer of the database was lost; `unavailable` and others, after which `commit`
    /// may be called again.
    template <class Token = boost::asio::use_awaitable_t<>>
    [[nodiscard]] auto commit(Token token = {}) {
        return detail::initiate<>(
            token, [state = state_](detail::completion<> done) { start_commit(state, std::move(done)); });
    }

    /// Returns the window as failed. It is delivered again after `delay`; the default is a growing, jittered back-off
    /// of 100 ms to 30 s. Completes with `void(error_code)` when the failure has been counted durably. The reason is
    /// logged.
    ///
    /// Cancellation: terminal. The code is `errc::outcome_unknown`, and the failure is still counted.
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
