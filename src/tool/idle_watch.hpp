#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "tool/session.hpp"

namespace minibatch::tool {

/// When a consumer counts as idle, for `--idle-exit`.
struct idle_rule {
    /// How long nothing must have happened.
    duration limit;
    /// Messages in a full window, where a count closes windows.
    std::optional<std::int64_t> size;
    /// How long after its last message a window is closed by time at the latest, where that is to be waited for.
    std::optional<duration> closes_after;
};

/// Calls `expired`, once, when nothing has happened for so long: no message was appended to the stream, and none was
/// delivered here. It waits longer while messages are left that a window is going to take, so that a short limit does
/// not end a consumer before it has begun, and while another consumer holds the lease, for as long as the lease of one
/// that was killed would last.
class idle_watch {
  public:
    idle_watch(asio::any_io_executor executor, stream source, std::string group, idle_rule rule,
               std::function<void()> expired);
    ~idle_watch();
    idle_watch(idle_watch const&) = delete;
    idle_watch& operator=(idle_watch const&) = delete;

    /// A message has been delivered.
    void restart();

    bool expired() const noexcept;
    /// Whether it expired with work left: the lease is held elsewhere, or messages are left that a window should have
    /// taken. It has said so.
    bool work_left() const noexcept;

  private:
    struct state;
    static asio::awaitable<void> watch(std::shared_ptr<state> self);

    std::shared_ptr<state> state_;
};

}  // namespace minibatch::tool
