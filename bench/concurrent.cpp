// 256 coroutines that each await one append after another, against Redis Streams with as many requests outstanding.
#include <minibatch.hpp>

#include "support/clock.hpp"
#include "support/coroutine.hpp"
#include "support/documents.hpp"
#include "support/options.hpp"
#include "support/redis.hpp"
#include "support/report.hpp"
#include "support/stored.hpp"
#include "support/temporary.hpp"

namespace {

constexpr int appenders = 256;

boost::asio::awaitable<void> append_share(minibatch::stream stream, std::int64_t& next, std::int64_t count) {
    bench::documents source;
    std::int64_t last = -1;
    while (next < count) {
        std::int64_t const offset = co_await stream.append(source[next++]);
        bench::require(offset > last, "the offsets of one appender grow");
        last = offset;
    }
}

boost::asio::awaitable<void> open(std::string url, minibatch::stream& stream) {
    auto const db = co_await minibatch::connect(url);
    stream = co_await minibatch::stream::get_or_create(db, "readings");
}

void body(bench::options const& options) {
    auto const count = options.documents(500'000, 100'000);
    auto const ours = [&] {
        bench::temporary_directory const directory(options.dir);
        double rate = 0;
        {
            minibatch::stream stream;
            bench::run(open(directory.url(), stream));
            bench::asio::io_context context(1);
            std::int64_t next = 0;
            bench::stopwatch const watch;
            for (int i = 0; i < appenders; ++i) bench::spawn(context, append_share(stream, next, count));
            context.run();
            rate = static_cast<double>(count) / watch.seconds();
        }
        auto const found = bench::read_stored(directory.database());
        bench::require_each_once(found, count);
        bench::note("documents in a segment: " + std::to_string(found.mean_size()));
        return rate;
    };
    std::vector<bench::contestant> contestants{{"256 coroutines", ours}};
    if (!options.ours_alone)
        contestants.push_back({"Redis Streams", [&] { return bench::redis_rate(options.dir, count, 16, 16); }});
    auto const results = bench::alternate(options.rounds, contestants);
    if (options.ours_alone) return;
    bench::print_ratio("256 coroutines, each awaiting every append", results[0],
                       "Redis Streams, appendfsync always, 16 × pipeline 16", results[1], 1.5);
}

}  // namespace

int main(int argc, char** argv) { return bench::run_program(argc, argv, body); }
