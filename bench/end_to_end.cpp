// Append, count windows of 100, every document decoded and visited, commit, trimming on, all at the same time; against
// Bytewax's `collect`, which works in memory.
#include <array>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <minibatch.hpp>
#include <mutex>
#include <thread>

#include "support/clock.hpp"
#include "support/coroutine.hpp"
#include "support/documents.hpp"
#include "support/options.hpp"
#include "support/process.hpp"
#include "support/report.hpp"
#include "support/temporary.hpp"

namespace {

constexpr std::int64_t window_size = 100;

/// Lets the producer go on by so many documents; asked for and granted in steps, on different threads.
class allowance {
  public:
    explicit allowance(std::int64_t lead) : left_(lead) {}

    boost::asio::awaitable<void> take(std::int64_t documents) {
        boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
        for (;;) {
            {
                std::lock_guard const lock(mutex_);
                waiting_ = nullptr;
                if (left_ >= documents) {
                    left_ -= documents;
                    co_return;
                }
                timer.expires_at(std::chrono::steady_clock::time_point::max());
                waiting_ = &timer;
            }
            boost::system::error_code woken;
            co_await timer.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, woken));
        }
    }
    void grant(std::int64_t documents) {
        std::lock_guard const lock(mutex_);
        left_ += documents;
        if (!waiting_ || left_ < step) return;
        boost::asio::post(waiting_->get_executor(), [timer = waiting_] { timer->cancel(); });
        waiting_ = nullptr;
    }
    static constexpr std::int64_t step = 1000;

  private:
    std::mutex mutex_;
    std::int64_t left_;
    boost::asio::steady_timer* waiting_ = nullptr;
};

boost::asio::awaitable<void> produce(minibatch::stream stream, std::int64_t count, allowance& allowed) {
    bench::documents source;
    auto producer = stream.make_producer();
    for (std::int64_t n = 0; n < count; ++n) {
        if (n % allowance::step == 0) co_await allowed.take(allowance::step);
        co_await producer.append(source[n]);
    }
    co_await producer.flush();
}

struct consumed {
    std::vector<bool> seen;  // windows
    std::int64_t committed = 0;
    double sum = 0;
};

boost::asio::awaitable<void> consume(minibatch::consumer consumer, consumed& result, allowance& allowed) {
    // Used between two waits alone, and so by all coroutines of the thread.
    static thread_local std::array<unsigned char, 100'000> buffer;
    while (auto window = co_await consumer.next_window()) {
        auto number = window->first().value();
        bench::require(window->size() == window_size && number % window_size == 0, "windows are whole");
        auto const at = static_cast<std::size_t>(number / window_size);
        bench::require(!result.seen.at(at), "no window is delivered twice");
        result.seen[at] = true;
        boost::json::monotonic_resource memory(buffer.data(), buffer.size());
        for (auto const& document : window->decode(&memory)) {
            bench::require(bench::number_of(document) == number++, "the documents of a window are in order");
            result.sum += bench::visit(document);
        }
        co_await window->commit();
        allowed.grant(window_size);
        if (++result.committed == static_cast<std::int64_t>(result.seen.size())) consumer.stop();
    }
}

struct opened {
    minibatch::stream stream;
    minibatch::consumer consumer;
};
boost::asio::awaitable<void> open(std::string url, int in_flight, opened& result) {
    auto const db = co_await minibatch::connect(url);
    result.stream = co_await minibatch::stream::get_or_create(db, "readings");
    minibatch::consumer_options how;
    how.max_in_flight = in_flight;
    auto const windows = minibatch::count_window(window_size);
    result.consumer = co_await result.stream.consume(windows, how);
}
boost::asio::awaitable<void> messages_left(minibatch::stream stream, std::int64_t& result) {
    result = (co_await stream.info()).messages;
}

double run_ours(bench::options const& options, std::int64_t count, int in_flight) {
    bench::temporary_directory const directory(options.dir);
    opened handles;
    bench::run(open(directory.url(), in_flight, handles));
    consumed result;
    result.seen.resize(static_cast<std::size_t>(count / window_size));
    // The source is drawn from as fast as the windows are dealt with, as Bytewax does it, with some room between.
    allowance allowed(100'000);
    bench::stopwatch const watch;
    std::thread producing([&] { bench::run(produce(handles.stream, count, allowed)); });
    bench::asio::io_context context(1);
    for (int i = 0; i < in_flight; ++i) bench::spawn(context, consume(handles.consumer, result, allowed));
    context.run();
    auto const rate = static_cast<double>(count) / watch.seconds();
    producing.join();
    bench::require(result.committed * window_size == count, "everything was delivered and committed");
    std::int64_t left = 0;
    bench::run(messages_left(handles.stream, left));
    bench::note("messages left after trimming: " + std::to_string(left));
    return rate;
}

double run_bytewax(bench::options const& options, std::int64_t count, std::string const& mode) {
    auto const script = std::filesystem::path(BENCH_SOURCE_DIR) / "peers" / "bytewax_collect.py";
    bench::process peer({options.python, script.string(), std::to_string(count), mode});
    return std::stod(peer.output());
}

void body(bench::options const& options) {
    auto const count = options.documents(500'000, 100'000) / window_size * window_size;
    auto const in_flight = options.in_flight > 0 ? options.in_flight : 1000;
    std::vector<bench::contestant> contestants{
        {"minibatch on disk", [&] { return run_ours(options, count, in_flight); }}};
    if (!options.ours_alone) {
        bench::require(!options.python.empty(), "--python names an interpreter that has Bytewax");
        contestants.push_back({"Bytewax, documents ready made", [&] { return run_bytewax(options, count, "ready"); }});
        contestants.push_back({"Bytewax, decoding them", [&] { return run_bytewax(options, count, "decode"); }});
    }
    auto const results = bench::alternate(options.rounds, contestants);
    if (options.ours_alone) return;
    auto const claim = "append → window of 100 → decode → commit, " + std::to_string(in_flight) + " in flight";
    bench::print_ratio(claim, results[0].median, "Bytewax `collect`, in memory, nothing to decode", results[1].median,
                       bench::median_ratio(results[0], results[1]), 1.0);
    bench::print_ratio(claim, results[0].median, "the same, decoding the documents", results[2].median,
                       bench::median_ratio(results[0], results[2]), 1.0);
}

}  // namespace

int main(int argc, char** argv) { return bench::run_program(argc, argv, body); }
