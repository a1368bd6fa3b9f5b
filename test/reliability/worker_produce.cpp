#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <csignal>
#include <random>
#include <sstream>

#include "reliability/worker.hpp"

namespace minibatch::test {
namespace {

/// An append that was begun by an earlier run may be stored or not: its numbers are not used again.
std::int64_t next_number(std::string const& report_path) {
    std::int64_t next = 0;
    for (auto const& line : whole_lines(report_path)) {
        std::istringstream in(line);
        std::string what;
        int producer = 0;
        std::int64_t first = 0;
        std::int64_t last = 0;
        if (in >> what >> producer >> first >> last && what == "appending") next = std::max(next, last + 1);
    }
    return next;
}

}  // namespace

asio::awaitable<position> append_numbers(stream to, report const& out, std::string mode, int producer,
                                         std::int64_t first, std::int64_t last) {
    std::vector<boost::json::value> documents;
    for (auto number = first; number <= last; ++number) {
        numbered one;
        one.producer = producer;
        one.number = number;
        one.call_first = first;
        one.call_last = last;
        documents.push_back(to_document(one));
    }
    auto const call = std::to_string(producer) + ' ' + std::to_string(first) + ' ' + std::to_string(last) + ' ';
    out.line("appending " + call + mode);
    position where{-1, -1};
    if (mode == "single") {
        auto const& document = documents.at(0);
        where = co_await to.append(document);
    } else if (mode == "range") {
        where = co_await to.append(documents);
    } else {
        producer_options options;
        options.batch_size = 4;
        options.linger = milliseconds(1);
        auto buffer = to.make_producer(options);
        for (auto const& document : documents) co_await buffer.append(document);
        co_await buffer.flush();
    }
    out.line("appended " + call + std::to_string(where.partition) + ' ' + std::to_string(where.offset));
    co_return where;
}

asio::awaitable<void> produce(job const& given) {
    auto const executor = co_await asio::this_coro::executor;
    bool stopping = false;
    asio::signal_set terminate(executor, SIGTERM);
    terminate.async_wait([&](error_code const& failed, int) { stopping = !failed; });

    report const out(given.report_path);
    auto const mode = given.text("mode", "single");
    auto const producer = static_cast<int>(given.number("producer", 1));
    auto next = next_number(given.report_path);
    auto numbers = co_await open_numbers(given);
    std::mt19937 random(static_cast<unsigned>(given.run));
    asio::steady_timer pace(executor);
    while (!stopping) {
        auto const last = mode == "single" ? next : next + static_cast<std::int64_t>(random() % 10);
        co_await append_numbers(numbers, out, mode, producer, next, last);
        next = last + 1;
        // Consumers that are killed all the time must be able to follow.
        pace.expires_after(std::chrono::microseconds(random() % 3000));
        co_await pace.async_wait(asio::use_awaitable);
    }
    terminate.cancel();
}

}  // namespace minibatch::test
