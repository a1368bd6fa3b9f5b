// An HTTP server that must not lose events: what it has answered with 201 is durable. Windows go out as server-sent
// events.
//   http_server [--port N] [--host ADDRESS] [--db URL] [--max-body BYTES]
//
//   curl --json '{"celsius": 21}' http://127.0.0.1:8080/streams/readings         one document, or several as JSON lines
//   curl -N -X POST 'http://127.0.0.1:8080/streams/readings/windows?size=10'     windows, as they fill
//   curl 'http://127.0.0.1:8080/streams/readings?last=10'                        the newest documents
//
// What changes something is a POST: windows are committed as they are sent. A GET changes nothing. There is no
// authentication, so the server is for programs on this machine alone: it listens on loopback, and refuses what web
// pages make a browser send (same_site.hpp). Everything that a client chooses has a limit. For other machines, put a
// server in front of it that knows its users.
#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/json/serialize.hpp>
#include <csignal>
#include <map>
#include <minibatch.hpp>

#include "http/documents.hpp"
#include "http/same_site.hpp"
#include "http/settings.hpp"
#include "http/target.hpp"
#include "run.hpp"

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace json = boost::json;
using asio::ip::tcp;
using namespace std::chrono_literals;
using namespace asio::experimental::awaitable_operators;

namespace {

constexpr auto as_tuple = asio::as_tuple(asio::use_awaitable);

constexpr int max_connections = 256;
constexpr std::uint32_t max_header = 16 << 10;
constexpr std::size_t max_streams = 100;
constexpr std::size_t max_groups = 16;  // of a stream
constexpr std::int64_t max_window = 8 << 20;

class server {
  public:
    server(minibatch::database db, settings how, asio::any_io_executor executor)
        : db_(std::move(db)), how_(std::move(how)), acceptor_(executor), stopping_(executor, never) {}

    /// Serves until SIGINT or SIGTERM; requests that are being worked on are answered.
    asio::awaitable<void> serve() {
        tcp::endpoint const where(how_.host, how_.port);
        acceptor_.open(where.protocol());
        acceptor_.set_option(tcp::acceptor::reuse_address(true));
        acceptor_.bind(where);
        acceptor_.listen();
        auto const own = acceptor_.local_endpoint();
        site_.emplace(own.port());
        std::cout << "listening on http://" << own << std::endl;
        asio::signal_set signals(acceptor_.get_executor(), SIGINT, SIGTERM);
        co_await (accept() || signals.async_wait(asio::use_awaitable));
        acceptor_.close();
        stopping_.expires_at(asio::steady_timer::time_point::min());  // wakes all who wait for it
        while (sessions_ > 0) {
            asio::steady_timer last(acceptor_.get_executor(), 10ms);
            co_await last.async_wait(asio::use_awaitable);
        }
        std::cout << "stopped" << std::endl;
    }

  private:
    static constexpr auto never = asio::steady_timer::time_point::max();
    using request = http::request<http::string_body>;

    /// Against a peer that never pauses, the wait for the timer would lose again and again.
    bool stopping() const { return stopping_.expiry() != never; }

    asio::awaitable<void> accept() {
        for (;;) {
            auto [problem, socket] = co_await acceptor_.async_accept(as_tuple);
            if (problem == asio::error::operation_aborted) co_return;
            if (problem) {  // out of file descriptors, for example: others may finish
                asio::steady_timer pause(acceptor_.get_executor(), 100ms);
                co_await pause.async_wait(asio::use_awaitable);
                continue;
            }
            if (sessions_ == max_connections) continue;  // which closes the socket
            ++sessions_;
            auto ended = [this](std::exception_ptr) { --sessions_; };  // the peer is gone: nobody is left to tell
            asio::co_spawn(acceptor_.get_executor(), session(beast::tcp_stream(std::move(socket))), std::move(ended));
        }
    }

    asio::awaitable<void> session(beast::tcp_stream peer) {
        beast::flat_buffer buffer;
        for (bool more = true; more;) {
            http::request_parser<http::string_body> parser;
            parser.body_limit(how_.max_body);
            parser.header_limit(max_header);
            peer.expires_after(30s);
            auto const outcome =
                co_await (http::async_read(peer, buffer, parser, as_tuple) || stopping_.async_wait(as_tuple));
            if (outcome.index() == 1) break;
            auto const problem = std::get<0>(std::get<0>(outcome));
            if (problem == http::error::body_limit) {
                refused const answer{http::status::payload_too_large,
                                     "the body is larger than " + std::to_string(how_.max_body) + " bytes"};
                co_await refuse(peer, answer, false);
                break;
            }
            if (problem == http::error::header_limit) {
                refused const answer{http::status::request_header_fields_too_large,
                                     "the header is larger than " + std::to_string(max_header) + " bytes"};
                co_await refuse(peer, answer, false);
                break;
            }
            if (problem) break;  // closed, timed out, or not HTTP
            more = co_await respond(peer, parser.release());
        }
        beast::error_code ignored;
        peer.socket().shutdown(tcp::socket::shutdown_send, ignored);
    }

    /// Answers one request; whether the connection may serve another one.
    asio::awaitable<bool> respond(beast::tcp_stream& peer, request asked) {
        auto const keep_alive = [&] { return asked.keep_alive() && !stopping(); };
        std::optional<refused> problem;
        try {
            site_->check(asked);
            target const what(asked.target());
            bool const reading = !what.windows && asked.method() == http::verb::get;
            if (!reading && asked.method() != http::verb::post) {
                std::string const allowed = what.windows ? "POST" : "GET, POST";
                throw refused{http::status::method_not_allowed, "only " + allowed + " here", allowed};
            }
            if (what.windows) {
                co_await send_windows(peer, what);
                co_return false;
            }
            if (reading) {
                auto const lines = co_await newest(what);
                co_await send(peer, http::status::ok, lines, keep_alive(), "application/jsonl");
            } else {
                auto const stored = co_await append(what.stream, asked.body());
                co_await send(peer, http::status::created, json::serialize(stored) + "\n", keep_alive());
            }
        } catch (refused const& refusal) {
            problem = refusal;
        } catch (minibatch::error const& failure) {
            problem = refused{status_of(failure), failure.diagnostics()};
        }
        if (problem) co_await refuse(peer, *problem, keep_alive());
        co_return keep_alive();
    }

    /// Appends all documents of a body or none of them; returns once they are durable.
    asio::awaitable<json::object> append(std::string const& name, std::string const& body) {
        auto documents = documents_of(body);
        auto const count = documents.size();
        auto stream = co_await open(name);
        minibatch::position first;
        try {
            first = co_await stream.append_encoded(std::move(documents));
        } catch (minibatch::error const& failure) {
            if (failure.code() == minibatch::errc::stream_deleted) streams_.erase(name);  // the next one makes it anew
            throw;
        }
        json::object stored;
        stored["stream"] = name;
        stored["partition"] = first.partition;
        stored["offset"] = first.offset;
        stored["appended"] = count;
        co_return stored;
    }

    /// The newest documents of a stream, a line each; what has been removed is not among them.
    asio::awaitable<std::string> newest(target const& what) {
        auto stream = co_await db_.find_stream(what.stream);
        auto const messages = co_await stream.peek(0, -what.last, static_cast<std::size_t>(what.last));
        std::string lines;
        for (auto const& message : messages) lines.append(message.text()) += '\n';
        co_return lines;
    }

    /// Opens a stream, once. Without a limit, clients could make any number of them.
    asio::awaitable<minibatch::stream> open(std::string const& name) {
        if (auto const known = streams_.find(name); known != streams_.end()) co_return known->second;
        auto const names = co_await db_.streams();
        if (names.size() >= max_streams && !std::ranges::binary_search(names, name))
            throw refused{http::status::forbidden, "there are " + std::to_string(names.size()) + " streams already"};
        auto opened = co_await minibatch::stream::get_or_create(db_, name);
        streams_.emplace(name, opened);
        co_return opened;
    }

    /// Joins a group. Each one keeps messages from being removed until it has committed them.
    asio::awaitable<minibatch::consumer> join(target const& what) {
        auto stream = co_await db_.find_stream(what.stream);
        auto const info = co_await stream.info();
        bool const known = std::ranges::any_of(info.groups, [&](auto const& each) { return each.name == what.group; });
        if (!known && info.groups.size() >= max_groups)
            throw refused{http::status::forbidden,
                          "stream '" + what.stream + "' has " + std::to_string(info.groups.size()) + " groups already"};
        auto const strategy = minibatch::count_window(what.size) || minibatch::max_bytes(max_window);
        minibatch::consumer_options options;
        options.group = what.group;
        co_return co_await stream.consume(strategy, options);
    }

    /// Sends windows until the peer or the server goes. A window is committed when it has been handed to the network:
    /// what a peer that breaks off had not read yet is not sent again. One that must lose nothing confirms by itself.
    asio::awaitable<void> send_windows(beast::tcp_stream& peer, target const& what) {
        auto consumer = co_await join(what);
        http::response<http::empty_body> head(http::status::ok, 11);
        head.set(http::field::content_type, "text/event-stream");
        head.set(http::field::cache_control, "no-store");
        head.chunked(true);
        http::response_serializer<http::empty_body> serializer(head);
        peer.expires_after(30s);
        co_await http::async_write_header(peer, serializer, asio::use_awaitable);
        char unexpected = 0;
        auto const here = asio::buffer(&unexpected, 1);
        while (!stopping()) {
            peer.expires_never();
            asio::steady_timer quiet(acceptor_.get_executor(), 15s);
            auto outcome = co_await (consumer.next_window(as_tuple) || quiet.async_wait(as_tuple) ||
                                     peer.async_read_some(here, as_tuple) || stopping_.async_wait(as_tuple));
            if (outcome.index() >= 2) break;
            std::string event = ": still here\n\n";
            std::optional<minibatch::window> window;
            if (auto* const next = std::get_if<0>(&outcome)) {
                auto& [problem, found] = *next;
                if (problem == minibatch::errc::unavailable) continue;  // it goes on by itself
                if (!found) break;                                      // the stream was deleted, for example
                window = std::move(found);
                event = "id: " + window->id() + "\ndata: " + json::serialize(event_of(*window)) + "\n\n";
            }
            peer.expires_after(30s);
            auto const chunk = http::make_chunk(asio::buffer(event));
            auto const [gone, sent] = co_await asio::async_write(peer, chunk, as_tuple);
            if (gone) break;  // the window comes again, for the next who asks
            if (!window) continue;
            auto const [failed] = co_await window->commit(as_tuple);
            if (failed) break;
        }
        peer.expires_after(1s);
        co_await asio::async_write(peer, http::make_chunk_last(), as_tuple);
    }

    asio::awaitable<void> refuse(beast::tcp_stream& peer, refused const& why, bool keep_alive) {
        json::object body;
        body["error"] = why.reason;
        co_await send(peer, why.status, json::serialize(body) + "\n", keep_alive, "application/json", why.allow);
    }

    asio::awaitable<void> send(beast::tcp_stream& peer, http::status status, std::string body, bool keep_alive,
                               char const* type = "application/json", std::string allow = {}) {
        http::response<http::string_body> answer(status, 11, std::move(body));
        answer.set(http::field::content_type, type);
        if (!allow.empty()) answer.set(http::field::allow, allow);
        answer.keep_alive(keep_alive);
        answer.prepare_payload();
        peer.expires_after(30s);
        co_await http::async_write(peer, answer, asio::use_awaitable);
    }

    minibatch::database db_;
    settings how_;
    std::optional<same_site> site_;
    std::map<std::string, minibatch::stream> streams_;
    tcp::acceptor acceptor_;
    asio::steady_timer stopping_;
    int sessions_ = 0;
};

asio::awaitable<void> serve(settings how) {
    auto const db = co_await minibatch::connect(how.url);
    server here(db, how, co_await asio::this_coro::executor);
    co_await here.serve();
}

}  // namespace

int main(int count, char** arguments) {
    settings how;
    try {
        how = settings_of(count, arguments);
    } catch (refused const& problem) {
        std::cerr << "http_server: " << problem.reason << "\nusage: http_server " << settings_usage << '\n';
        return 2;
    }
    return run(serve(how));
}
