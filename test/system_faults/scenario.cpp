// What the faults of `library.cpp` are tried on. It prints a line for each thing that was acknowledged or refused:
//
//   scenario work URL    connects, appends six documents, consumes two windows of two, commits and closes
//   scenario check URL   prints what is stored: the documents, and the offset up to which the group has committed
//
// Exit code 0, whatever the operations report; 3: an operation failed with something else than minibatch::error.

#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <cstdio>
#include <exception>
#include <minibatch.hpp>
#include <string>
#include <variant>

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using minibatch::errc;

constexpr int documents = 6;
constexpr int windows = 2;
constexpr std::size_t window_size = 2;

void say(std::string const& line) {
    auto const text = line + "\n";
    if (::write(STDOUT_FILENO, text.data(), text.size()) < 0) std::_Exit(4);
}

std::string words(minibatch::error const& problem) {
    return " " + std::to_string(problem.code().value()) + " " + problem.what();
}

/// "refused", or "unknown" when it may have taken effect.
std::string outcome(minibatch::error const& problem) {
    return problem.code() == errc::outcome_unknown ? "unknown" : "refused";
}

minibatch::connect_options options() {
    minibatch::connect_options how;
    how.connect_timeout = 1s;
    how.timeout = 2s;
    return how;
}

asio::awaitable<void> append(minibatch::stream stream) {
    for (int i = 0; i < documents; ++i) {
        auto const text = "{\"n\":" + std::to_string(i) + "}";
        try {
            auto const stored = co_await stream.append_json(text);
            say("appended " + std::to_string(i) + " " + std::to_string(stored.offset));
        } catch (minibatch::error const& problem) {
            say(outcome(problem) + " append " + std::to_string(i) + words(problem));
        }
    }
}

/// The next window; nothing when it fails, or does not come in time.
asio::awaitable<std::optional<minibatch::window>> next(minibatch::consumer& from) {
    using namespace asio::experimental::awaitable_operators;
    asio::steady_timer limit(co_await asio::this_coro::executor, 3s);
    try {
        auto came = co_await (from.next_window() || limit.async_wait(asio::use_awaitable));
        if (auto* window = std::get_if<0>(&came)) co_return std::move(*window);
        say("no window in time");
    } catch (minibatch::error const& problem) {
        say("refused window" + words(problem));
    }
    co_return std::nullopt;
}

asio::awaitable<void> consume(minibatch::stream stream) {
    minibatch::consumer_options how;
    how.group = "g";
    how.keep = true;
    auto const strategy = minibatch::count_window(window_size);
    auto consumer = co_await stream.consume(strategy, how);
    for (int i = 0; i < windows + 2; ++i) {
        auto window = co_await next(consumer);
        if (!window) continue;
        auto const range = " " + std::to_string(window->messages().front().offset()) + " " +
                           std::to_string(window->messages().back().offset());
        try {
            co_await window->commit();
            say("committed" + range);
        } catch (minibatch::error const& problem) {
            say(outcome(problem) + " commit" + range + words(problem));
        }
        if (range == " 2 3") break;
    }
    consumer.stop(minibatch::drain::release);
}

asio::awaitable<void> work(std::string url) {
    try {
        auto const how = options();
        auto const db = co_await minibatch::connect(url, how);
        minibatch::stream_options const plain;
        auto const stream = co_await minibatch::stream::get_or_create(db, "s", plain);
        co_await append(stream);
        co_await consume(stream);
    } catch (minibatch::error const& problem) {
        say("ended" + words(problem));
    }
}

asio::awaitable<void> check(std::string url) {
    auto how = options();
    how.create = false;
    how.connect_timeout = how.timeout = 10s;
    try {
        auto const db = co_await minibatch::connect(url, how);
        auto stream = co_await db.find_stream("s");
        auto const messages = co_await stream.peek(0, 0, 1'000);
        for (auto const& message : messages)
            say("document " + std::to_string(message.offset()) + " " + std::string(message.text()));
        auto const info = co_await stream.info();
        for (auto const& group : info.groups) say("low " + std::to_string(info.appended - group.lag));
    } catch (minibatch::error const& problem) {
        // The faults may have come before there was a database, or a stream.
        if (problem.code() != errc::stream_not_found && problem.code() != errc::unavailable) throw;
        say("nothing" + words(problem));
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    std::string const what = argv[1];
    try {
        asio::io_context context;
        std::exception_ptr foreign;
        asio::co_spawn(context, what == "work" ? work(argv[2]) : check(argv[2]),
                       [&](std::exception_ptr thrown) { foreign = thrown; });
        context.run();
        if (foreign) std::rethrow_exception(foreign);
    } catch (std::exception const& other) {
        say(std::string("foreign ") + other.what());
        return 3;
    }
    say("end");
    return 0;
}
