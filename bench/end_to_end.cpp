// Append, count windows of 100, every document decoded and visited, commit, trimming on, all at the same time; against
// Bytewax's `collect`, which works in memory.
#include <boost/json/monotonic_resource.hpp>
#include <minibatch.hpp>
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

boost::asio::awaitable<void> produce(minibatch::stream stream, std::int64_t count) {
    bench::documents source;
    auto producer = stream.make_producer();
    for (std::int64_t n = 0; n < count; ++n) co_await producer.append(source[n]);
    co_await producer.flush();
}

struct consumed {
    std::vector<bool> seen;  // windows
    std::int64_t committed = 0;
    double sum = 0;
};

boost::asio::awaitable<void> consume(minibatch::consumer consumer, consumed& result) {
    while (auto window = co_await consumer.next_window()) {
        auto number = window->first().value();
        bench::require(window->size() == window_size && number % window_size == 0, "windows are whole");
        auto const at = static_cast<std::size_t>(number / window_size);
        bench::require(!result.seen.at(at), "no window is delivered twice");
        result.seen[at] = true;
        boost::json::monotonic_resource memory;
        for (auto const& document : window->decode(&memory)) {
            bench::require(bench::number_of(document) == number++, "the documents of a window are in order");
            result.sum += bench::visit(document);
        }
        co_await window->commit();
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
    bench::stopwatch const watch;
    std::thread producing([&] { bench::run(produce(handles.stream, count)); });
    bench::asio::io_context context(1);
    for (int i = 0; i < in_flight; ++i) bench::spawn(context, consume(handles.consumer, result));
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
    auto const in_flight = options.in_flight > 0 ? options.in_flight : 256;
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
