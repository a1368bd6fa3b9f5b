#pragma once

#include <boost/json/array.hpp>
#include <cstddef>
#include <cstdint>
#include <minibatch/message.hpp>
#include <optional>
#include <span>
#include <vector>

namespace minibatch {

/// The answer of a custom emitter: whether there is a window, and which messages it contains.
struct readiness {
    /// Whether `take` is a window. If false, `take` is ignored.
    bool ready = false;
    /// Offsets of pending messages, in the order in which the window contains them. Each at most once.
    std::vector<std::int64_t> take;
    /// Offsets of pending messages to commit without delivery. Applies also if `ready` is false.
    std::vector<std::int64_t> discard;
    /// Time of the next call if no message arrives before. If absent, only messages cause a call.
    std::optional<time_point> look_again;
};

/// Base class of custom strategies. Calls for one partition never overlap. An emitter needs no lock unless several
/// partitions or consumers share the object. After a restart it sees the pending messages again, but not the messages
/// of open windows, which are stored.
class window_emitter {
  public:
    virtual ~window_emitter() = default;

    /// Decides whether the pending messages contain a window. Called when messages have arrived, after each window, at
    /// `look_again`, and when the consumer is stopped with `drain::flush`, before the remainder becomes the last
    /// window. `pending` are the messages that are in no window yet, ordered by offset. `now` is the time by the
    /// database's clock, never earlier than `created` of a pending message. While that clock is behind the last
    /// message, or stands still, `now` advances with a steady clock.
    virtual readiness window_ready(std::span<message const> pending, time_point now) = 0;

    /// Makes the data of a window from its messages. The default are their documents, in order.
    virtual boost::json::array query(std::span<message const> taken);

    /// Limits of what may stay pending. An emitter that takes no window and leaves more fails with
    /// `errc::too_many_pending`.
    virtual std::int64_t max_pending_messages() const { return 100'000; }
    virtual std::size_t max_pending_bytes() const { return std::size_t{64} << 20; }
};

}  // namespace minibatch
