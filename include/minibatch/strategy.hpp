#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <minibatch/emitter.hpp>
#include <minibatch/name.hpp>
#include <optional>
#include <utility>

namespace minibatch {

struct fixed_time_options {
    /// Shifts the windows against the Unix epoch, with a time zone against the local midnight.
    std::chrono::milliseconds offset{0};
    /// Whether windows in which nothing arrived are delivered as well.
    bool emit_empty = true;
    /// Of a run of empty windows after downtime only so many are delivered, the latest.
    std::int64_t max_empty = 1000;
    /// An IANA name, as "Europe/Berlin": windows are local days there, which begin at midnight and have 23 or 25 hours
    /// when the clocks are changed. The interval must be whole days then. Empty: days of UTC. Read from the system's
    /// time zone data when the strategy is made; a name that is not there is `errc::invalid_argument`.
    name time_zone = {};
};

struct relaxed_time_options {
    /// Whether a window is delivered when nothing has arrived.
    bool emit_empty = false;
};

namespace detail {

using emitter_factory = std::function<std::shared_ptr<window_emitter>()>;

/// What a strategy consists of; the library's own view of it.
struct strategy_parts {
    struct fixed_part {
        std::chrono::milliseconds interval;
        fixed_time_options options;
    };
    struct relaxed_part {
        std::chrono::milliseconds interval;
        relaxed_time_options options;
    };
    std::optional<std::int64_t> count;
    std::optional<std::chrono::milliseconds> max_age;
    std::optional<std::int64_t> max_bytes;
    std::optional<fixed_part> fixed;
    std::optional<relaxed_part> relaxed;
    emitter_factory custom;
};

}  // namespace detail

/// How a stream is cut into windows. A description that can be copied and used for any number of consumers.
class strategy {
  public:
    /// A custom emitter. The one object serves all partitions: it must keep no state of its own when there are several
    /// (see `custom_window`).
    template <std::derived_from<window_emitter> Emitter>
    strategy(std::shared_ptr<Emitter> emitter)  // NOLINT(google-explicit-constructor): streams take emitters directly
        : strategy(shared(std::move(emitter))) {}

    /// Whichever comes first, of any combination of `count_window`, `max_age`, `max_bytes` and `relaxed_time_window`,
    /// each at most once. Anything else (a part twice, fixed or custom windows with anything) throws `error` with
    /// `errc::invalid_argument`.
    friend strategy operator||(strategy const& left, strategy const& right);

    /// For the library's own use.
    explicit strategy(detail::strategy_parts parts) : parts_(std::move(parts)) {}
    detail::strategy_parts const& parts() const noexcept { return parts_; }

  private:
    static detail::strategy_parts shared(std::shared_ptr<window_emitter> emitter);
    detail::strategy_parts parts_;
};

/// Exactly `size` messages, in the order of their offsets; what is left stays for the next window. All arguments here
/// must be positive, else `error` with `errc::invalid_argument`.
strategy count_window(std::int64_t size);

/// All messages that were created in [start, start + interval), with the windows aligned to the Unix epoch plus
/// `options.offset`, or to the days of `options.time_zone`. Exact: a message is in the window it was created in, and
/// the same windows come out on replay. When the database's clock is set back, messages get the `created` of the last
/// one until it has caught up, and their window stays open for so long: a warning says until when, and
/// `stream_info::ahead` tells.
strategy fixed_time_window(std::chrono::milliseconds interval, fixed_time_options options = {});

/// Every `interval`, all that has arrived since the last window (at most 64 MiB in one). The interval is measured by a
/// steady clock; the bounds of the windows are by the database's.
strategy relaxed_time_window(std::chrono::milliseconds interval, relaxed_time_options options = {});

/// Closes a window when so much time has passed since its first message was created, by a steady clock from when it was
/// first seen.
strategy max_age(std::chrono::milliseconds age);

/// Closes a window before its documents would have more than `bytes` bytes as JSON text. A single message that is
/// larger is a window of its own.
strategy max_bytes(std::int64_t bytes);

/// A custom emitter for all partitions; see the constructor of `strategy`.
strategy custom_window(std::shared_ptr<window_emitter> emitter);

/// A custom strategy with an emitter for each partition that a consumer works on, made anew after a take-over.
strategy custom_window(std::function<std::unique_ptr<window_emitter>()> factory);

}  // namespace minibatch
