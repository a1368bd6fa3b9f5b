#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <functional>
#include <thread>

namespace minibatch::tool {

/// Receives SIGINT, SIGTERM and SIGHUP on a thread of its own, since the main thread may be blocked in writing to a
/// reader that does not read. The first signal is handed to `first` on the main context; the second ends the process
/// with the first one's exit code. A SIGHUP that is ignored at the start, as under nohup, stays ignored.
class signal_watch {
  public:
    signal_watch(boost::asio::io_context& main, std::function<void(int number)> first);
    ~signal_watch();
    signal_watch(signal_watch const&) = delete;
    signal_watch& operator=(signal_watch const&) = delete;

  private:
    void listen();

    boost::asio::io_context& main_;
    std::function<void(int)> first_;
    boost::asio::io_context own_{1};
    boost::asio::signal_set signals_;
    int heard_ = 0;
    std::thread thread_;
};

}  // namespace minibatch::tool
