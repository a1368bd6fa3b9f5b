#include "support/lone_appends.hpp"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <cstdio>
#include <minibatch.hpp>
#include <sstream>

#include "support/clock.hpp"
#include "support/coroutine.hpp"
#include "support/documents.hpp"
#include "support/options.hpp"
#include "support/other_process.hpp"
#include "support/report.hpp"

namespace bench {
namespace {

using times = std::vector<std::int64_t>;  // nanoseconds, by number of the document

struct appends {
    explicit appends(std::size_t count) : begins(count), ends(count) {}
    times begins;
    times ends;
};

boost::asio::awaitable<void> append_alone(minibatch::stream stream, appends& made) {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    documents source;
    for (std::size_t n = 0; n < made.ends.size(); ++n) {
        timer.expires_after(std::chrono::milliseconds(3));
        co_await timer.async_wait(boost::asio::use_awaitable);
        made.begins[n] = nanoseconds();
        co_await stream.append(source[static_cast<std::int64_t>(n)]);
        made.ends[n] = nanoseconds();
    }
}

boost::asio::awaitable<void> receive(minibatch::consumer consumer, times& arrivals) {
    for (std::size_t n = 0; n < arrivals.size(); ++n) {
        auto window = co_await consumer.next_window();
        arrivals[n] = nanoseconds();
        require(window && window->size() == 1 && number_of(window->data()[0]) == static_cast<std::int64_t>(n),
                "the windows come in order");
        co_await window->commit();
    }
    consumer.stop();
    while (co_await consumer.next_window()) require(false, "nothing else comes");
}

boost::asio::awaitable<void> open_stream(std::string url, minibatch::stream& stream) {
    auto const db = co_await minibatch::connect(url);
    stream = co_await minibatch::stream::get_or_create(db, "readings");
}
boost::asio::awaitable<void> open(std::string url, minibatch::stream& stream, minibatch::consumer& consumer) {
    co_await open_stream(url, stream);
    auto const windows = minibatch::count_window(1);
    minibatch::consumer_options const how;
    consumer = co_await stream.consume(windows, how);
}

/// Milliseconds from `from` to `to`; 0 if the window arrived before the append had returned.
std::vector<double> delays(times const& from, times const& to) {
    std::vector<double> result;
    for (std::size_t n = 0; n < from.size(); ++n)
        result.push_back(std::max(0.0, static_cast<double>(to[n] - from[n]) / 1e6));
    return result;
}

void report(std::string const& claim, appends const& made, times const& arrivals, double most) {
    auto const after = delays(made.ends, arrivals);
    auto const whole = delays(made.begins, arrivals);
    auto const p50 = median(after);
    note(claim + ": from the begin of the append p50 " + fixed(median(whole), 3) + " ms, p99 " +
         fixed(percentile(whole, 0.99), 3) + " ms");
    auto const late = [&](double delay) { return delay > most; };
    if (auto const first = std::ranges::find_if(after, late); first != after.end())
        note(claim + ": later than the limit " + std::to_string(std::ranges::count_if(after, late)) + " of " +
             std::to_string(after.size()) + ", the first of them number " + std::to_string(first - after.begin()));
    print({claim, fixed(p50, 3) + " ms p50, " + fixed(percentile(after, 0.99), 3) + " ms p99", "limit for p50",
           fixed(most, 1) + " ms", fixed(p50 / most, 2), "≤ 1", p50 <= most});
}

}  // namespace

void lone_appends_in_one(std::string const& claim, std::string const& url, std::int64_t count, double most) {
    appends made(static_cast<std::size_t>(count));
    times arrivals(made.ends.size());
    minibatch::stream stream;
    minibatch::consumer consumer;
    run(open(url, stream, consumer));
    asio::io_context context(1);
    spawn(context, append_alone(stream, made));
    spawn(context, receive(consumer, arrivals));
    context.run();
    report(claim, made, arrivals, most);
}

void lone_appends_between_two(std::string const& claim, std::string const& url, std::int64_t count, double most) {
    appends made(static_cast<std::size_t>(count));
    times arrivals(made.ends.size());
    minibatch::stream stream;
    minibatch::consumer consumer;
    run(open(url, stream, consumer));
    process appender(own_child({url, std::to_string(count)}));
    run(receive(consumer, arrivals));
    std::istringstream lines(appender.output());
    for (std::size_t n = 0; n < made.ends.size(); ++n) lines >> made.begins[n] >> made.ends[n];
    require(static_cast<bool>(lines), "the appender has reported all its appends");
    report(claim, made, arrivals, most);
}

void append_in_child(std::vector<std::string> const& arguments) {
    appends made(std::stoul(arguments.at(1)));
    minibatch::stream stream;
    run(open_stream(arguments.at(0), stream));
    run(append_alone(stream, made));
    for (std::size_t n = 0; n < made.ends.size(); ++n)
        std::printf("%lld %lld\n", static_cast<long long>(made.begins[n]), static_cast<long long>(made.ends[n]));
}

}  // namespace bench
