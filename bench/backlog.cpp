// What a window costs with a short and with a long backlog, and what memory its consumer takes.
#include <cstdio>
#include <fstream>
#include <minibatch.hpp>
#include <sstream>

#include "support/clock.hpp"
#include "support/coroutine.hpp"
#include "support/documents.hpp"
#include "support/options.hpp"
#include "support/other_process.hpp"
#include "support/report.hpp"
#include "support/temporary.hpp"

namespace {

constexpr std::int64_t window_size = 100;

/// What a consumer process reports.
struct consumption {
    double window_microseconds = 0;  // mean
    double first_kilobytes = 0;      // resident, after a quarter of the windows
    double last_kilobytes = 0;       // after the last
    double most_kilobytes = 0;
};

/// Kilobytes from /proc/self/status.
double memory(std::string const& what) {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (line.rfind(what, 0) == 0) return std::stod(line.substr(what.size() + 1));
    }
    return 0;
}

boost::asio::awaitable<void> fill(std::string url, std::int64_t count) {
    auto const db = co_await minibatch::connect(url);
    auto stream = co_await minibatch::stream::get_or_create(db, "readings");
    bench::documents source;
    auto producer = stream.make_producer();
    for (std::int64_t n = 0; n < count; ++n) co_await producer.append(source[n]);
    co_await producer.flush();
}

boost::asio::awaitable<void> consume(std::string url, std::int64_t windows, consumption& result) {
    auto const db = co_await minibatch::connect(url);
    auto stream = co_await minibatch::stream::get_or_create(db, "readings");
    auto const cut = minibatch::count_window(window_size);
    minibatch::consumer_options const how;
    auto consumer = co_await stream.consume(cut, how);
    std::int64_t begin = 0;
    std::int64_t number = -1;
    double sum = 0;
    for (std::int64_t i = 0; i <= windows; ++i) {
        auto window = co_await consumer.next_window();
        if (number < 0) number = window->first().value();
        for (auto const& document : window->data()) {
            bench::require(bench::number_of(document) == number++, "the documents are in order");
            sum += bench::visit(document);
        }
        co_await window->commit();
        if (i == 0) begin = bench::nanoseconds();  // the first window includes opening
        if (i == windows / 4) result.first_kilobytes = memory("VmRSS:");
    }
    result.window_microseconds = static_cast<double>(bench::nanoseconds() - begin) / 1e3 / static_cast<double>(windows);
    result.last_kilobytes = memory("VmRSS:");
    result.most_kilobytes = memory("VmHWM:");
    consumer.stop();
    // A window that was made before the stop still comes.
    while (auto rest = co_await consumer.next_window()) co_await rest->commit();
}

consumption consume_elsewhere(std::string const& url, std::int64_t windows) {
    bench::process child(bench::own_child({url, std::to_string(windows)}));
    std::istringstream line(child.output());
    consumption result;
    line >> result.window_microseconds >> result.first_kilobytes >> result.last_kilobytes >> result.most_kilobytes;
    bench::require(static_cast<bool>(line), "the consumer has reported its figures");
    return result;
}

void as_child(std::string const& url, std::int64_t windows) {
    consumption result;
    bench::run(consume(url, windows, result));
    std::printf("%f %f %f %f\n", result.window_microseconds, result.first_kilobytes, result.last_kilobytes,
                result.most_kilobytes);
}

void body(bench::options const& options) {
    if (!options.child.empty()) return as_child(options.child.at(0), std::stoll(options.child.at(1)));
    constexpr std::int64_t few = 10'000;
    auto const many = options.documents(10'000'000, 1'000'000);
    auto const windows = few / window_size - 5;
    bench::temporary_directory const large(options.dir);
    bench::note("appending " + std::to_string(many) + " messages");
    bench::run(fill(large.url(), many));

    // To measure memory, the backlog must be larger than what is read ahead.
    constexpr std::int64_t some = 100'000;
    bench::temporary_directory const medium(options.dir);
    bench::run(fill(medium.url(), some));

    std::vector<double> memory_short;
    std::vector<double> memory_long;
    auto const short_one = [&] {
        bench::temporary_directory const small(options.dir);
        bench::run(fill(small.url(), few));
        auto const found = consume_elsewhere(small.url(), windows);
        return found.window_microseconds;
    };
    auto const long_one = [&] {
        auto const found = consume_elsewhere(large.url(), windows);
        memory_long.push_back(found.most_kilobytes);
        return found.window_microseconds;
    };
    auto const results = bench::alternate(
        3 * options.rounds, {{"µs a window, short backlog", short_one}, {"µs a window, long backlog", long_one}});
    auto const ratio = bench::median_ratio(results[1], results[0]);
    auto const messages = bench::figure(static_cast<double>(many));
    bench::print({"a window, with " + messages + " messages waiting", bench::fixed(results[1].median, 0) + " µs",
                  "with " + bench::figure(static_cast<double>(few)), bench::fixed(results[0].median, 0) + " µs",
                  bench::fixed(ratio, 2), "0.8 … 1.2", ratio <= 1.2 && ratio >= 0.8});

    auto const megabytes = [](double kilobytes) { return bench::fixed(kilobytes / 1024, 1) + " MB"; };
    auto const longest = consume_elsewhere(large.url(), many / window_size / 5);
    bench::note("over " + std::to_string(many / window_size / 5) + " windows the consumer went from " +
                megabytes(longest.first_kilobytes) + " to " + megabytes(longest.last_kilobytes) + ", at most " +
                megabytes(longest.most_kilobytes));
    for (int i = 0; i < 3; ++i) memory_short.push_back(consume_elsewhere(medium.url(), windows).most_kilobytes);
    auto const growth = bench::median(memory_long) / bench::median(memory_short);
    bench::print({"memory of that consumer, at most", megabytes(bench::median(memory_long)),
                  "with " + bench::figure(static_cast<double>(some)), megabytes(bench::median(memory_short)),
                  bench::fixed(growth, 2), "no growth", growth <= 1.2});
    auto const since = longest.last_kilobytes / longest.first_kilobytes;
    bench::print({"… after a fifth of the backlog", megabytes(longest.last_kilobytes), "after a twentieth",
                  megabytes(longest.first_kilobytes), bench::fixed(since, 2), "no growth", since <= 1.2});
}

}  // namespace

int main(int argc, char** argv) { return bench::run_program(argc, argv, body); }
