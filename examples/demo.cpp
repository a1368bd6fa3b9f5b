// Earthquakes, live: a producer replays a week of them in twenty seconds, and two consumers of the same stream report,
// one for every hundred earthquakes, one for every two seconds.
//   demo [--seconds N] [--interval N] [--feed FILE]
// The stream is in a temporary database on SQLite, which is removed at the end, or, under a new name each time, in the
// one that the environment variable MINIBATCH_URL names. SIGINT or SIGTERM ends it early, and that is removed as well.
#include <unistd.h>

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <minibatch.hpp>

#include "earthquakes.hpp"
#include "run.hpp"

namespace asio = boost::asio;
namespace json = boost::json;
using std::chrono::milliseconds;
using namespace asio::experimental::awaitable_operators;

namespace {

struct settings {
    double seconds = 20;
    double interval = 2;
    std::string feed = MINIBATCH_FEED;
    std::string url;  // empty: a temporary database
};

/// A directory for the database, removed at the end.
class temporary_directory {
  public:
    temporary_directory() {
        auto name = (std::filesystem::temp_directory_path() / "minibatch-demo-XXXXXX").string();
        if (!::mkdtemp(name.data())) throw std::runtime_error("cannot make the directory " + name);
        path_ = name;
    }
    temporary_directory(temporary_directory const&) = delete;
    temporary_directory& operator=(temporary_directory const&) = delete;
    ~temporary_directory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    std::filesystem::path const& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

milliseconds to_milliseconds(double seconds) { return milliseconds(static_cast<std::int64_t>(seconds * 1000)); }

void say(std::string const& who, std::vector<quake> const& quakes) {
    std::string what = "nothing";
    if (!quakes.empty()) {
        auto const strongest = std::ranges::max_element(quakes, {}, &quake::magnitude);
        char text[64];
        std::snprintf(text, sizeof text, "%3zu earthquakes, the strongest %.1f: ", quakes.size(), strongest->magnitude);
        what = text + strongest->place;
    }
    std::printf("%s  %s\n", who.c_str(), what.c_str());
    std::fflush(stdout);
}

/// Sends each earthquake when its time has come, in the feed's own pace, only faster. The producer buffers for some
/// milliseconds, so that those due at nearly the same moment are written together.
asio::awaitable<void> produce(minibatch::stream stream, std::vector<json::value> const& feed, double seconds) {
    auto producer = stream.make_producer();
    auto const time_of = [](json::value const& document) { return document.at("time").to_number<double>(); };
    auto const first = time_of(feed.front());
    auto const length = std::max(time_of(feed.back()) - first, 1.0);
    asio::steady_timer due(co_await asio::this_coro::executor);
    auto const began = std::chrono::steady_clock::now();
    for (auto const& document : feed) {
        due.expires_at(began + to_milliseconds(seconds * (time_of(document) - first) / length));
        co_await due.async_wait(asio::use_awaitable);
        co_await producer.append(document);
    }
    co_await producer.flush();
}

asio::awaitable<void> by_hundreds(minibatch::consumer consumer) {
    std::size_t seen = 0;
    while (auto window = co_await consumer.next_window()) {
        say(window->reason() == minibatch::window_reason::flush ? "the rest    " : "by hundreds ", window->as<quake>());
        seen += window->size();
        co_await window->commit();
    }
    std::printf("by hundreds: all %zu of them\n", seen);
}

asio::awaitable<void> by_time(minibatch::consumer consumer, std::size_t expected) {
    std::size_t seen = 0;
    while (auto window = co_await consumer.next_window()) {
        auto const second = window->start().time_since_epoch() / milliseconds(1000) % 60;
        char label[32];
        std::snprintf(label, sizeof label, "from :%02d.%lld ", static_cast<int>(second),
                      static_cast<long long>(window->start().time_since_epoch().count() / 100 % 10));
        say(std::string("    ") + label, window->as<quake>());
        seen += window->size();
        co_await window->commit();
        if (seen >= expected) consumer.stop();
    }
    std::printf("    by time: all %zu of them\n", seen);
}

asio::awaitable<void> replay(settings how, minibatch::stream stream, std::vector<json::value> const& feed) {
    minibatch::consumer_options options;
    options.group = "hundreds";
    auto hundreds = co_await stream.consume(minibatch::count_window(100), options);
    options.group = "times";
    auto times = co_await stream.consume(minibatch::fixed_time_window(to_milliseconds(how.interval)), options);
    auto const all = [&]() -> asio::awaitable<void> {
        co_await produce(stream, feed, how.seconds);
        hundreds.stop(minibatch::drain::flush);  // what does not fill a hundred comes as a last window
    };
    co_await (all() && by_hundreds(hundreds) && by_time(times, feed.size()));
}

/// As `replay`, until a signal asks for the end.
asio::awaitable<void> replay_until_signal(settings how, minibatch::stream stream,
                                          std::vector<json::value> const& feed) {
    auto const executor = co_await asio::this_coro::executor;
    asio::cancellation_signal end;
    bool ended = false;
    asio::signal_set signals(executor, SIGINT, SIGTERM);
    signals.async_wait([&](boost::system::error_code problem, int) {
        if (problem) return;  // no signal: the replay is over
        ended = true;
        end.emit(asio::cancellation_type::terminal);
    });
    try {
        co_await asio::co_spawn(executor, replay(how, stream, feed),
                                asio::bind_cancellation_slot(end.slot(), asio::use_awaitable));
    } catch (std::exception const&) {
        if (!ended) throw;
        std::printf("stopped\n");  // all of its parts have failed, as they were cancelled
    }
}

asio::awaitable<void> show(settings how) {
    auto const feed = read_earthquakes(how.feed);
    temporary_directory const directory;
    auto const url = how.url.empty() ? "sqlite:" + (directory.path() / "demo.db").string() : how.url;
    std::printf("%zu earthquakes of one week, replayed in %g seconds into a stream %s.\n", feed.size(), how.seconds,
                how.url.empty() ? "on SQLite" : "of the database that MINIBATCH_URL names");
    std::printf("Two consumer groups: every 100 earthquakes, and (indented) every %g seconds.\n\n", how.interval);
    {
        auto const db = co_await minibatch::connect(url);
        // In a database that stays, each run has a stream of its own.
        auto const name = "quakes-" + std::to_string(std::time(nullptr)) + "-" + std::to_string(::getpid());
        auto const stream = co_await minibatch::stream::get_or_create(db, name);
        co_await replay_until_signal(how, stream, feed);
        co_await db.delete_stream(name);
    }
}

double positive(char const* text) {
    char* end = nullptr;
    auto const value = std::strtod(text, &end);
    if (*text == '\0' || *end != '\0' || !(value >= 0.01 && value <= 3600)) {
        throw std::invalid_argument(std::string("not a number of seconds between 0.01 and 3600: ") + text);
    }
    return value;
}

}  // namespace

int main(int count, char** arguments) {
    settings how;
    try {
        for (int i = 1; i < count; i += 2) {
            std::string_view const option = arguments[i];
            if (i + 1 >= count) throw std::invalid_argument("a value is missing after " + std::string(option));
            if (option == "--seconds")
                how.seconds = positive(arguments[i + 1]);
            else if (option == "--interval")
                how.interval = positive(arguments[i + 1]);
            else if (option == "--feed")
                how.feed = arguments[i + 1];
            else
                throw std::invalid_argument("unknown option " + std::string(option));
        }
    } catch (std::invalid_argument const& problem) {
        std::fprintf(stderr, "demo: %s\nusage: demo [--seconds N] [--interval N] [--feed FILE]\n", problem.what());
        return 2;
    }
    if (auto const* url = std::getenv("MINIBATCH_URL")) how.url = url;
    return run(show(how));
}
