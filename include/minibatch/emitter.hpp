#pragma once

#include <boost/json/array.hpp>
#include <cstddef>
#include <cstdint>
#include <minibatch/message.hpp>
#include <optional>
#include <span>
#include <vector>

namespace minibatch {

/// What a custom emitter answers: whether there is a window, and what is in it.
struct readiness {
    /// Whether `take` is a window now. Without it `take` is ignored.
    bool ready = false;
    /// Offsets of pending messages, in the order in which the window shows them. Each at most once.
    std::vector<std::int64_t> take;
    /// Offsets of pending messages that nobody needs: committed without delivery, also when `ready` is false.
    std::vector<std::int64_t> discard;
    /// When to ask again if nothing arrives before; otherwise it is asked only when messages arrive.
    std::optional<time_point> look_again;
};

/// Base of custom strategies. An emitter is called for one partition at a time and never concurrently with itself
/// there; it holds no lock and needs none unless one object is shared by several partitions or consumers. After a
/// restart it sees all messages again that were pending, but not those of windows that were open: these are stored.
class window_emitter {
  public:
    virtual ~window_emitter() = default;

    /// Asked when messages have arrived, after each window, and at `look_again`; at the end, too, when the consumer is
    /// stopped with `drain::flush`, before what is left becomes the last window. `pending` are all messages that are in
    /// no window yet, by offset. `now` is the database's clock and never below a pending message's `created`; while
    /// that clock is behind the last message or stands still, it goes on by the time that passes.
    virtual readiness window_ready(std::span<message const> pending, time_point now) = 0;

    /// The data of a window from its messages. By default their documents, in order.
    virtual boost::json::array query(std::span<message const> taken);

    /// How much may stay pending. An emitter that takes no window and leaves more fails with
    /// `errc::too_many_pending`.
    virtual std::int64_t max_pending_messages() const { return 100'000; }
    virtual std::size_t max_pending_bytes() const { return std::size_t{64} << 20; }
};

}  // namespace minibatch
