#pragma once

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <limits>
#include <memory>
#include <mutex>

#include "support/tcp_proxy.hpp"

namespace minibatch::test::proxy {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();

/// Counts that any thread may read and wait for.
class counters {
  public:
    void change(std::function<void(proxy_counts&)> const& how);
    proxy_counts read() const;
    bool wait_for(std::function<bool(proxy_counts const&)> const& wanted, std::chrono::milliseconds limit) const;

  private:
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    proxy_counts now_;
};

/// The faults of all connections. Like connections, only for the proxy's thread.
struct faults {
    std::array<std::chrono::milliseconds, 2> delay{};
    std::array<std::size_t, 2> limit{no_limit, no_limit};
    bool stalls = false;  // at the limit; else it closes
    bool blackhole = false;
    bool blackhole_answers = false;
    bool lose_next_answer = false;
    std::function<action(std::string_view, direction)> hook;
};

/// One client, and the connection to the server that belongs to it.
class connection : public std::enable_shared_from_this<connection> {
  public:
    connection(tcp::socket client, faults& common, counters& counts, framing how);
    ~connection();
    connection(connection const&) = delete;
    connection& operator=(connection const&) = delete;

    /// Serves it until both ends are closed.
    void start(tcp::endpoint target);
    /// `as_fault`: counted as cut.
    void close(bool as_fault);
    /// So many bytes may pass from now on.
    void set_limit(direction which, std::size_t bytes) { left_[index(which)] = bytes; }

  private:
    static std::size_t index(direction which) { return which == direction::request ? 0 : 1; }
    asio::awaitable<void> serve(tcp::endpoint target);
    asio::awaitable<void> pump(direction which);
    /// Forwards the pieces of `pending` that are complete; false: the connection has been closed.
    asio::awaitable<bool> forward(direction which, std::string& pending);
    asio::awaitable<bool> deliver(direction which, std::string piece);
    void count(direction which, std::size_t bytes, bool whole);
    action decide(direction which, std::string_view piece);
    /// The next one that is complete, taken out of `pending`; false: there is none.
    bool take_piece(direction which, std::string& pending, std::string& piece);

    tcp::socket client_;
    tcp::socket server_;
    std::array<asio::steady_timer, 2> timers_;
    faults& faults_;
    counters& counts_;
    framing framing_;
    std::array<std::size_t, 2> left_;
    std::array<bool, 2> dead_{};
    bool loses_answer_ = false;
    bool closed_ = false;
    int pumping_ = 2;
};

}  // namespace minibatch::test::proxy
