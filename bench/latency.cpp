// From the end of a lone append to the delivery of its window, in one process and between two; and what waiting costs.
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <cstdio>
#include <minibatch.hpp>
#include <sstream>
#include <thread>

#include "support/clock.hpp"
#include "support/coroutine.hpp"
#include "support/documents.hpp"
#include "support/options.hpp"
#include "support/process.hpp"
#include "support/report.hpp"
#include "support/temporary.hpp"

namespace {

using namespace std::chrono_literals;
using times = std::vector<std::int64_t>;  // nanoseconds, by number of the document

boost::asio::awaitable<void> append_alone(minibatch::stream stream, times& begins, times& ends) {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    bench::documents source;
    for (std::size_t n = 0; n < ends.size(); ++n) {
        timer.expires_after(3ms);
        co_await timer.async_wait(boost::asio::use_awaitable);
        begins[n] = bench::nanoseconds();
        co_await stream.append(source[static_cast<std::int64_t>(n)]);
        ends[n] = bench::nanoseconds();
    }
}

boost::asio::awaitable<void> receive(minibatch::consumer consumer, times& arrivals) {
    for (std::size_t n = 0; n < arrivals.size(); ++n) {
        auto window = co_await consumer.next_window();
        arrivals[n] = bench::nanoseconds();
        bench::require(
            window && window->size() == 1 && bench::number_of(window->data()[0]) == static_cast<std::int64_t>(n),
            "the windows come in order");
        co_await window->commit();
    }
    consumer.stop();
    while (co_await consumer.next_window()) bench::require(false, "nothing else comes");
}

boost::asio::awaitable<void> open_stream(std::string url, std::string name, minibatch::stream& stream) {
    auto const db = co_await minibatch::connect(url);
    stream = co_await minibatch::stream::get_or_create(db, name);
}
boost::asio::awaitable<void> open_consumer(minibatch::stream stream, minibatch::consumer& consumer) {
    auto const windows = minibatch::count_window(1);
    minibatch::consumer_options const how;
    consumer = co_await stream.consume(windows, how);
}

/// Milliseconds from `from` to `to`; an arrival before the appender knew of its end counts as none.
std::vector<double> delays(times const& from, times const& to) {
    std::vector<double> result;
    for (std::size_t n = 0; n < from.size(); ++n)
        result.push_back(std::max(0.0, static_cast<double>(to[n] - from[n]) / 1e6));
    return result;
}

void report(std::string const& claim, times const& begins, times const& ends, times const& arrivals, double most) {
    auto const after = delays(ends, arrivals);
    auto const whole = delays(begins, arrivals);
    auto const p50 = bench::median(after);
    bench::note(claim + ": from the begin of the append p50 " + bench::fixed(bench::median(whole), 3) + " ms, p99 " +
                bench::fixed(bench::percentile(whole, 0.99), 3) + " ms");
    bench::print({claim,
                  bench::fixed(p50, 3) + " ms p50, " + bench::fixed(bench::percentile(after, 0.99), 3) + " ms p99",
                  "limit for p50", bench::fixed(most, 1) + " ms", bench::fixed(p50 / most, 2), "≤ 1", p50 <= most});
}

void in_one_process(bench::options const& options) {
    bench::temporary_directory const directory(options.dir);
    auto const count = static_cast<std::size_t>(options.documents(2'000, 300));
    times begins(count), ends(count), arrivals(count);
    minibatch::stream stream;
    minibatch::consumer consumer;
    bench::run(open_stream(directory.url(), "readings", stream));
    bench::run(open_consumer(stream, consumer));
    bench::asio::io_context context(1);
    bench::spawn(context, append_alone(stream, begins, ends));
    bench::spawn(context, receive(consumer, arrivals));
    context.run();
    report("end of a lone append → its window, one process", begins, ends, arrivals, 0.2);
}

void between_two(bench::options const& options) {
    bench::temporary_directory const directory(options.dir);
    auto const count = static_cast<std::size_t>(options.documents(2'000, 300));
    times begins(count), ends(count), arrivals(count);
    minibatch::stream stream;
    minibatch::consumer consumer;
    bench::run(open_stream(directory.url(), "readings", stream));
    bench::run(open_consumer(stream, consumer));
    bench::process appender(bench::own_child({"append", directory.url(), std::to_string(count)}));
    bench::run(receive(consumer, arrivals));
    std::istringstream lines(appender.output());
    for (std::size_t n = 0; n < count; ++n) lines >> begins[n] >> ends[n];
    bench::require(static_cast<bool>(lines), "the appender has reported all its appends");
    report("end of a lone append → its window, between two processes", begins, ends, arrivals, 5);
}

boost::asio::awaitable<void> wait_for_nothing(minibatch::consumer consumer) {
    auto const window = co_await consumer.next_window();
    bench::require(!window, "nothing comes where nothing was appended");
}

boost::asio::awaitable<void> open_all(std::string url, std::vector<minibatch::consumer>& into) {
    auto const handle = co_await minibatch::connect(url);
    auto const windows = minibatch::count_window(100);
    minibatch::consumer_options const how;
    for (std::size_t i = 0; i < into.size(); ++i) {
        auto const name = "readings-" + std::to_string(i);
        auto stream = co_await minibatch::stream::get_or_create(handle, name);
        into[i] = co_await stream.consume(windows, how);
    }
}

void waiting(bench::options const& options) {
    constexpr int consumers = 100;
    bench::temporary_directory const directory(options.dir);
    bench::asio::io_context context(1);
    std::vector<minibatch::consumer> all(consumers);
    bench::run(open_all(directory.url(), all));
    for (auto const& each : all) bench::spawn(context, wait_for_nothing(each));
    context.run_for(2s);  // until all have their lease
    auto const duration = options.quick ? 7s : 30s;
    auto const before = bench::processor_seconds(RUSAGE_SELF);
    bench::stopwatch const watch;
    context.run_for(duration);
    auto const share = (bench::processor_seconds(RUSAGE_SELF) - before) / watch.seconds();
    for (auto& each : all) each.stop();
    context.run();
    bench::print({"100 waiting consumers", bench::fixed(100 * share, 2) + " % of a core", "limit", "1 %",
                  bench::fixed(share / 0.01, 2), "< 1", share < 0.01});
}

void append_in_child(std::string const& url, std::size_t count) {
    times begins(count), ends(count);
    minibatch::stream stream;
    bench::run(open_stream(url, "readings", stream));
    bench::run(append_alone(stream, begins, ends));
    for (std::size_t n = 0; n < count; ++n)
        std::printf("%lld %lld\n", static_cast<long long>(begins[n]), static_cast<long long>(ends[n]));
}

void body(bench::options const& options) {
    if (!options.child.empty()) return append_in_child(options.child.at(1), std::stoul(options.child.at(2)));
    in_one_process(options);
    between_two(options);
    waiting(options);
}

}  // namespace

int main(int argc, char** argv) { return bench::run_program(argc, argv, body); }
