// One coroutine that awaits every append, against single commits of bare SQLite; and the processor use of its thread.
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <minibatch.hpp>

#include "support/bare_sqlite.hpp"
#include "support/clock.hpp"
#include "support/coroutine.hpp"
#include "support/documents.hpp"
#include "support/options.hpp"
#include "support/report.hpp"
#include "support/stored.hpp"
#include "support/temporary.hpp"

namespace {

struct measured {
    double rate = 0;
    double caller_share = 0;   // of a core, used by the caller's thread
    double process_share = 0;  // by all threads
    std::vector<double> late;  // microseconds by which a timer on the caller's thread came late
    bool ended = false;
};

boost::asio::awaitable<void> append_each(std::string url, std::int64_t count, measured& result) {
    auto const db = co_await minibatch::connect(url);
    auto stream = co_await minibatch::stream::get_or_create(db, "readings");
    bench::documents source;
    auto const caller = bench::processor_seconds(RUSAGE_THREAD);
    auto const process = bench::processor_seconds(RUSAGE_SELF);
    bench::stopwatch const watch;
    for (std::int64_t n = 0; n < count; ++n) {
        std::int64_t const offset = co_await stream.append(source[n]);
        bench::require(offset == n, "each append gets the next offset");
    }
    auto const seconds = watch.seconds();
    result.rate = static_cast<double>(count) / seconds;
    result.caller_share = (bench::processor_seconds(RUSAGE_THREAD) - caller) / seconds;
    result.process_share = (bench::processor_seconds(RUSAGE_SELF) - process) / seconds;
    result.ended = true;
}

/// If the thread were blocked, its timers would run late.
boost::asio::awaitable<void> watch_timer(measured& result) {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    while (!result.ended) {
        timer.expires_after(std::chrono::milliseconds(5));
        co_await timer.async_wait(boost::asio::use_awaitable);
        auto const late = std::chrono::steady_clock::now() - timer.expiry();
        result.late.push_back(std::chrono::duration<double, std::micro>(late).count());
    }
}

void body(bench::options const& options) {
    auto const count = options.documents(20'000, 3'000);
    measured last;
    auto const ours = [&] {
        bench::temporary_directory const directory(options.dir);
        last = {};
        {
            bench::asio::io_context context(1);
            bench::spawn(context, append_each(directory.url(), count, last));
            bench::spawn(context, watch_timer(last));
            context.run();
        }
        bench::require_in_order(bench::read_stored(directory.database()), count);
        bench::note("caller's thread " + bench::fixed(100 * last.caller_share, 1) + " % of a core, whole process " +
                    bench::fixed(100 * last.process_share, 1) + " %; timers on it late by " +
                    bench::fixed(bench::median(last.late), 0) + " µs (p50), " +
                    bench::fixed(bench::percentile(last.late, 0.99), 0) + " µs (p99)");
        return last.rate;
    };
    auto const bare = [&] {
        bench::temporary_directory const directory(options.dir);
        auto const before = bench::processor_seconds(RUSAGE_SELF);
        bench::stopwatch const watch;
        auto const rate = bench::bare_rate(directory.database(), count, 1);
        bench::note("bare loop " +
                    bench::fixed(100 * (bench::processor_seconds(RUSAGE_SELF) - before) / watch.seconds(), 1) +
                    " % of a core");
        return rate;
    };
    std::vector<bench::contestant> contestants{{"one coroutine", ours}};
    if (!options.ours_alone) contestants.push_back({"bare single commits", bare});
    auto const results = bench::alternate(options.rounds, contestants);
    if (options.ours_alone) return;
    bench::print_ratio("one coroutine, awaiting every append", results[0], "bare SQLite, a commit each", results[1],
                       0.7);
    bench::print({"processor use of the caller's thread meanwhile",
                  bench::fixed(100 * last.caller_share, 1) + " % of a core", "a thread that spins", "100 %",
                  bench::fixed(last.caller_share, 2), "≤ 0.5", last.caller_share <= 0.5});
}

}  // namespace

int main(int argc, char** argv) { return bench::run_program(argc, argv, body); }
