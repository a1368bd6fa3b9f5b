#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace minibatch::test {

/// Of what passes a proxy: requests go to the server, answers to the client.
enum class direction { request, answer };

/// What becomes of a message, and of its connection.
enum class action {
    pass,
    /// It is swallowed; the connection stays.
    drop,
    /// It is swallowed, and the connection closed.
    close,
    /// Requests: it goes to the server; the first answer on this connection after it is swallowed, and the connection
    /// closed. So the server has done it, and the client cannot know.
    lose_answer,
};

/// What passes is handled as whole messages, each with its length as a little-endian 32-bit integer in front (MongoDB's
/// wire protocol), or piece by piece as it arrives. A connection whose lengths cannot be right is closed.
enum class framing { messages, none };

/// What a proxy has seen so far.
struct proxy_counts {
    /// Connections taken, and those of them that are open.
    std::size_t accepted = 0, open = 0;
    /// Connections that it has closed for a fault (an action, `close_connections`, `close_after`).
    std::size_t cut = 0;
    /// Answers lost by `lose_answer` or `lose_next_answer`.
    std::size_t lost_answers = 0;
    /// Bytes and messages (with framing::messages; else pieces) that have passed.
    std::size_t request_bytes = 0, answer_bytes = 0, requests = 0, answers = 0;
};

/// Stands before a server on the loopback address and makes faults on the wire when told to. It runs on a thread of its
/// own. All functions can be called from any thread; when they return, what they ask for holds for all that arrives
/// from then on. Faults add up until `restore`. Not to be called from a hook.
///
/// Drivers of MongoDB stay at the proxy only with `directConnection=true` in the URL (`mongo_server::url` has it).
class tcp_proxy {
  public:
    /// Listens on a free loopback port and connects each client to `target`, a port on the loopback address. When the
    /// server is away, clients are disconnected as they come.
    explicit tcp_proxy(std::uint16_t target, framing how = framing::messages);
    ~tcp_proxy();
    tcp_proxy(tcp_proxy const&) = delete;
    tcp_proxy& operator=(tcp_proxy const&) = delete;

    std::uint16_t port() const noexcept;

    /// Nobody listens any more: new connections are refused. Those that are there stay.
    void refuse();
    /// All connections, now.
    void close_connections();
    /// Each connection, also those to come, is closed when so many bytes have passed in this direction from now on (or
    /// from its beginning); the bytes up to there are forwarded.
    void close_after(direction which, std::size_t bytes);
    /// The same, but the connection stays open, and nothing more arrives in this direction.
    void stall_after(direction which, std::size_t bytes);
    /// Each message (or piece) waits so long before it is forwarded, one after the other. Zero: no longer.
    void delay(direction which, std::chrono::milliseconds duration);
    /// Connections stay open and new ones are taken, but nothing arrives any more.
    void blackhole();
    /// Requests arrive, answers do not.
    void blackhole_answers();
    /// The next request on any connection, as with action::lose_answer. Drivers ask for the server's state, too: to
    /// meet a certain request, use `on_message(lose_answer_to(…))`.
    void lose_next_answer();
    /// Asked for each message (or piece), on the proxy's thread; the text is that of the whole message. An empty
    /// function: all pass.
    void on_message(std::function<action(std::string_view message, direction which)> hook);
    /// No faults any more, and it listens again, on the same port. Connections in which a black hole has
    /// swallowed something stay dead until their clients give up: bytes are missing in them.
    void restore();

    proxy_counts counts() const;
    /// Waits until the counts are as wanted; false: not within the limit. `wanted` is called on this thread.
    bool wait_for(std::function<bool(proxy_counts const&)> const& wanted,
                  std::chrono::milliseconds limit = std::chrono::seconds(20)) const;

  private:
    class implementation;
    std::unique_ptr<implementation> implementation_;
};

/// A hook: `what` happens to the n-th message (1: the first) in this direction that holds the text, once. The name of a
/// MongoDB command is such a text: "insert".
std::function<action(std::string_view, direction)> on_nth(std::string text, int n, action what,
                                                          direction which = direction::request);

/// A hook: the server carries out the n-th request that holds the text, and its answer is lost with the connection.
inline std::function<action(std::string_view, direction)> lose_answer_to(std::string text, int n = 1) {
    return on_nth(std::move(text), n, action::lose_answer);
}

}  // namespace minibatch::test
