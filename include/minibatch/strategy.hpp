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
    /// Offset of the windows from the Unix epoch; with a time zone, from local midnight.
    std::chrono::milliseconds offset{0};
    /// Whether windows without messages are delivered.
    bool emit_empty = true;
    /// Limit of consecutive empty windows after a downtime. The latest ones are delivered.
    std::int64_t max_empty = 1000;
    /// IANA name of a time zone, such as "Europe/Berlin". Windows are then local days, which begin at midnight and have
    /// 23 or 25 hours when daylight saving time begins or ends; the interval must be whole days. Empty: UTC. The
    /// system's time zone data is read when the strategy is made; an unknown name is `errc::invalid_argument`.
    name time_zone = {};
};

struct relaxed_time_options {
    /// Whether windows without messages are delivered.
    bool emit_empty = false;
};

namespace detail {

using emitter_factory = std::function<std::shared_ptr<window_emitter>()>;

/// The parts of a strategy.
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

/// Describes how messages are grouped into windows. It may be copied, and used for any number of consumers.
class strategy {
  public:
    /// A custom emitter. All partitions share the object. With several partitions it must be stateless (see
    /// `custom_window`).
    template <std::derived_from<window_emitter> Emitter>
    strategy(std::shared_ptr<Emitter> emitter)  // NOLINT(google-explicit-constructor): streams take emitters directly
        : strategy(shared(std::move(emitter))) {}

    /// Combines strategies: the one that is fulfilled first closes the window. Accepts `count_window`, `max_age`,
    /// `max_bytes` and `relaxed_time_window`, each at most once. Any other combination throws `error` with
    /// `errc::invalid_argument`.
    friend strategy operator||(strategy const& left, strategy const& right);

    /// For the library's own use.
    explicit strategy(detail::strategy_parts parts) : parts_(std::move(parts)) {}
    detail::strategy_parts const& parts() const noexcept { return parts_; }

  private:
    static detail::strategy_parts shared(std::shared_ptr<window_emitter> emitter);
    detail::strategy_parts parts_;
};

/// Windows of exactly `size` messages, in the order of their offsets. The remainder stays for the next window. All
/// arguments of this and the following functions must be positive; otherwise they throw `error` with
/// `errc::invalid_argument`.
strategy count_window(std::int64_t size);

/// Windows of all messages created in [start, start + interval), aligned to the Unix epoch plus `options.offset`, or to
/// the days of `options.time_zone`. They are exact: each message is in the window of the interval in which it was
/// created, and a replay makes the same windows. If the clock of the database is set back, messages get the `created`
/// of the last one until the clock has caught up, and their window stays open until then; a warning is logged with that
/// time, and `stream_info::ahead` reports the difference.
strategy fixed_time_window(std::chrono::milliseconds interval, fixed_time_options options = {});

/// Windows of all messages that arrived since the last window, one every `interval`, of at most 64 MiB. A steady clock
/// measures the interval; the bounds of the windows are times by the database's clock.
strategy relaxed_time_window(std::chrono::milliseconds interval, relaxed_time_options options = {});

/// Closes a window when its first message reaches this age. A steady clock measures the age from when the consumer
/// first sees the message.
strategy max_age(std::chrono::milliseconds age);

/// Closes a window before the JSON text of its documents exceeds `bytes`. A single larger message is a window of its
/// own.
strategy max_bytes(std::int64_t bytes);

/// A custom emitter that all partitions share. See the constructor of `strategy`.
strategy custom_window(std::shared_ptr<window_emitter> emitter);

/// A custom strategy with an emitter for each partition. `factory` is called when a consumer acquires the lease of a
/// partition.
strategy custom_window(std::function<std::unique_ptr<window_emitter>()> factory);

}  // namespace minibatch
