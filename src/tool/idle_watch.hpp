#pragma once

#include <functional>
#include <memory>

#include "tool/session.hpp"

namespace minibatch::tool {

/// Calls `expired`, once, when nothing has happened for so long: no message was appended to the stream, and none was
/// delivered here. While messages are left that nobody has had the time to look at, it waits a little longer, so that a
/// short limit does not end a consumer before it has begun; and while another consumer holds them, for as long as the
/// lease of one that was killed would last.
class idle_watch {
  public:
    idle_watch(asio::any_io_executor executor, stream source, std::string group, duration limit,
               std::function<void()> expired);
    ~idle_watch();
    idle_watch(idle_watch const&) = delete;
    idle_watch& operator=(idle_watch const&) = delete;

    /// A message has been delivered.
    void restart();

  private:
    struct state;
    static asio::awaitable<void> watch(std::shared_ptr<state> self);

    std::shared_ptr<state> state_;
};

}  // namespace minibatch::tool
