// An HTTP server that must not lose events: what it has answered with 201 is durable. Windows go out as server-sent
// events.
//   http_server [--port N] [--host ADDRESS] [--db URL] [--max-body BYTES]
//
//   curl --json '{"celsius": 21}' http://127.0.0.1:8080/streams/readings        one document, or several as JSON lines
//   curl -N 'http://127.0.0.1:8080/streams/readings/windows?size=10'            windows, as they fill
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
#include <charconv>
#include <csignal>
#include <minibatch.hpp>

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

struct settings {
    std::string host = "127.0.0.1";  // this machine alone; there is no authentication here
    unsigned short port = 8080;
    std::string url = "sqlite:http.db";
    std::uint64_t max_body = 1 << 20;
};

/// The answer that ends a request which cannot be served.
struct refused {
    http::status status;
    std::string reason;
    std::string allow = {};
};

template <class Number>
Number number(std::string_view text, std::string_view what, Number least, Number most) {
    Number value{};
    auto const [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (problem != std::errc{} || end != text.data() + text.size() || value < least || value > most) {
        throw refused{http::status::bad_request, std::string(what) + " must be a number between " +
                                                     std::to_string(least) + " and " + std::to_string(most)};
    }
    return value;
}

http::status status_of(minibatch::error const& problem) {
    using minibatch::errc;
    switch (static_cast<errc>(problem.code().value())) {
        case errc::invalid_name:
        case errc::invalid_document:
            return http::status::bad_request;
        case errc::document_too_large:
            return http::status::payload_too_large;
        case errc::stream_not_found:
        case errc::stream_deleted:
            return http::status::not_found;
        case errc::storage_full:
            return http::status::insufficient_storage;
        case errc::unavailable:
        case errc::timeout:
            return http::status::service_unavailable;
        default:
            return http::status::internal_server_error;
    }
}

/// What the path and the query of a request ask for.
struct target {
    std::string stream;
    bool windows = false;
    std::string_view size = "100";
    std::string_view group = "http";

    explicit target(std::string_view text) {
        auto const mark = text.find('?');
        auto path = text.substr(0, mark);
        constexpr std::string_view begin = "/streams/";
        if (!path.starts_with(begin)) throw refused{http::status::not_found, "there is nothing here but /streams/NAME"};
        path.remove_prefix(begin.size());
        auto const slash = path.find('/');
        stream = path.substr(0, slash);
        if (slash != path.npos) {
            if (path.substr(slash) != "/windows") throw refused{http::status::not_found, "unknown path"};
            windows = true;
        }
        auto query = mark == text.npos ? std::string_view() : text.substr(mark + 1);
        while (!query.empty()) {
            auto const end = std::min(query.find('&'), query.size());
            auto const equals = std::min(query.find('='), end);
            auto const name = query.substr(0, equals);
            auto const value = equals < end ? query.substr(equals + 1, end - equals - 1) : std::string_view();
            if (windows && name == "size")
                size = value;
            else if (windows && name == "group")
                group = value;
            else
                throw refused{http::status::bad_request, "unknown parameter: " + std::string(name)};
            query.remove_prefix(std::min(end + 1, query.size()));
        }
    }
};

/// The documents of a body: one JSON object, or JSON lines. Throws `minibatch::error` with `invalid_document`.
std::vector<json::value> documents_of(std::string_view body) {
    std::vector<std::string_view> lines;
    for (std::size_t at = 0; at < body.size();) {
        auto const end = std::min(body.find('\n', at), body.size());
        lines.push_back(body.substr(at, end - at));
        at = end + 1;
    }
    auto const blank = [](std::string_view line) { return line.find_first_not_of(" \t\r") == line.npos; };
    auto const first = std::ranges::find_if_not(lines, blank);
    // An object may be spread over several lines; then the first line alone is none.
    auto const one = first == lines.end() || minibatch::encode_document_text(*first).problem.has_value();
    if (one) lines.assign(1, body);
    std::vector<json::value> documents;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (!one && blank(lines[i])) continue;
        auto const encoded = minibatch::encode_document_text(lines[i]);
        if (encoded.problem) {
            auto const where = one ? std::string() : "line " + std::to_string(i + 1) + ": ";
            throw minibatch::error(encoded.problem->code(), where + encoded.problem->diagnostics());
        }
        documents.push_back(minibatch::decode_document(encoded.text));
    }
    return documents;
}

json::object event_of(minibatch::window const& window) {
    json::object event;
    event["window"] = window.id();
    event["first"] = *window.first();
    event["last"] = *window.last();
    event["attempt"] = window.attempt();
    event["data"] = window.data();
    return event;
}

class server {
  public:
    server(minibatch::database db, settings how, asio::any_io_executor executor)
        : db_(std::move(db)), how_(std::move(how)), acceptor_(executor), stopping_(executor, never) {}

    /// Serves until SIGINT or SIGTERM; requests that are being worked on are answered.
    asio::awaitable<void> serve() {
        tcp::endpoint const where(asio::ip::make_address(how_.host), how_.port);
        acceptor_.open(where.protocol());
        acceptor_.set_option(tcp::acceptor::reuse_address(true));
        acceptor_.bind(where);
        acceptor_.listen();
        std::cout << "listening on http://" << how_.host << ':' << acceptor_.local_endpoint().port() << std::endl;
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
            target const what(asked.target());
            auto const wanted = what.windows ? http::verb::get : http::verb::post;
            if (asked.method() != wanted) {
                throw refused{http::status::method_not_allowed,
                              "only " + std::string(http::to_string(wanted)) + " here",
                              std::string(http::to_string(wanted))};
            }
            if (what.windows) {
                co_await send_windows(peer, what);
                co_return false;
            }
            auto const stored = co_await append(what.stream, asked.body());
            co_await send(peer, http::status::created, json::serialize(stored), keep_alive());
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
        auto const documents = documents_of(body);
        auto stream = co_await minibatch::stream::get_or_create(db_, name);
        auto const first = co_await stream.append(documents);
        json::object stored;
        stored["stream"] = name;
        stored["partition"] = first.partition;
        stored["offset"] = first.offset;
        stored["appended"] = documents.size();
        co_return stored;
    }

    /// Sends windows until the peer or the server goes. A window is committed when it has been handed to the network:
    /// what a peer that breaks off had not read yet is not sent again. One that must lose nothing confirms by itself.
    asio::awaitable<void> send_windows(beast::tcp_stream& peer, target const& what) {
        auto const size = number<std::int64_t>(what.size, "size", 1, 10'000);
        auto stream = co_await db_.find_stream(what.stream);
        minibatch::consumer_options options;
        options.group = what.group;
        auto consumer = co_await stream.consume(minibatch::count_window(size), options);

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
        co_await send(peer, why.status, json::serialize(body), keep_alive, why.allow);
    }

    asio::awaitable<void> send(beast::tcp_stream& peer, http::status status, std::string body, bool keep_alive,
                               std::string allow = {}) {
        http::response<http::string_body> answer(status, 11, std::move(body) + "\n");
        answer.set(http::field::content_type, "application/json");
        if (!allow.empty()) answer.set(http::field::allow, allow);
        answer.keep_alive(keep_alive);
        answer.prepare_payload();
        peer.expires_after(30s);
        co_await http::async_write(peer, answer, asio::use_awaitable);
    }

    minibatch::database db_;
    settings how_;
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
        for (int i = 1; i < count; i += 2) {
            std::string const option = arguments[i];
            if (i + 1 >= count) throw refused{{}, "a value is missing after " + option};
            std::string const value = arguments[i + 1];
            if (option == "--port")
                how.port = number<unsigned short>(value, option, 0, 65535);
            else if (option == "--host")
                how.host = value;
            else if (option == "--db")
                how.url = value;
            else if (option == "--max-body")
                how.max_body = number<std::uint64_t>(value, option, 1, 15 << 20);
            else
                throw refused{{}, "unknown option " + option};
        }
    } catch (refused const& problem) {
        std::cerr << "http_server: " << problem.reason
                  << "\nusage: http_server [--port N] [--host ADDRESS] [--db URL] [--max-body BYTES]\n";
        return 2;
    }
    return run(serve(how));
}
