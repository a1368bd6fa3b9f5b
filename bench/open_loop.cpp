// Awaited appends that arrive at a fixed rate, whatever has become of those before, against a bare overwrite of 16 KB
// with fdatasync: how long each takes, and the highest rate that is kept.
#include <algorithm>
#include <minibatch.hpp>

#include "support/arrivals.hpp"
#include "support/bare_sync.hpp"
#include "support/coroutine.hpp"
#include "support/options.hpp"
#include "support/report.hpp"
#include "support/stored.hpp"
#include "support/temporary.hpp"

namespace {

/// The p99 of the appends is to be at most so many times that of the bare overwrite.
constexpr double most = 4;
/// A rate is kept when, at the end of a second of it, appends still return within so many milliseconds.
constexpr double kept_within = 50;

boost::asio::awaitable<void> open(std::string url, minibatch::stream& stream) {
    auto const db = co_await minibatch::connect(url);
    stream = co_await minibatch::stream::get_or_create(db, "readings");
}

/// A database to which one rate after another is applied.
class target {
  public:
    explicit target(bench::options const& options) : directory_(options.dir) {
        bench::run(open(directory_.url(), stream_));
    }
    std::vector<double> apply(double rate, double seconds) {
        auto const count = static_cast<std::int64_t>(rate * seconds);
        auto latencies = bench::append_at_rate(stream_, next_, count, rate);
        next_ += count;
        return latencies;
    }
    /// Closes the database and looks whether all that was appended is there.
    void check() {
        stream_ = {};
        bench::require_in_order(bench::read_stored(directory_.database()), next_);
    }

  private:
    bench::temporary_directory const directory_;
    minibatch::stream stream_;
    std::int64_t next_ = 0;
};

void add(std::vector<double>& all, std::vector<double> const& more) { all.insert(all.end(), more.begin(), more.end()); }

std::string percentiles(std::vector<double> const& all) {
    return bench::fixed(bench::percentile(all, 0.5), 2) + " / " + bench::fixed(bench::percentile(all, 0.99), 2) +
           " / " + bench::fixed(bench::percentile(all, 0.999), 2) + " ms";
}

/// Rounds of both in turn on a database and a file that are in use already, as they are on a server that has been
/// running for a while.
void measure_latency(bench::options const& options, double rate) {
    auto const seconds = options.quick ? 0.3 : 1.0;
    target ours(options);
    bench::temporary_directory const elsewhere(options.dir);
    bench::bare_sync bare(elsewhere.path());
    ours.apply(rate, 0.5);
    bare.overwrite(0.1);
    std::vector<double> of_appends, of_syncs, ratios;
    for (int pair = 0; pair < 5 * options.rounds; ++pair) {
        auto const appends = ours.apply(rate, seconds);
        add(of_appends, appends);
        if (options.ours_alone) continue;
        auto const syncs = bare.overwrite(seconds);
        add(of_syncs, syncs);
        ratios.push_back(bench::percentile(appends, 0.99) / bench::percentile(syncs, 0.99));
    }
    ours.check();
    auto const claim = "awaited appends, " + bench::figure(rate) + "/s arriving: p50 / p99 / p99.9";
    bench::note(claim + ": " + percentiles(of_appends));
    if (options.ours_alone) return;
    auto const ratio = bench::median(ratios);
    auto const [low, high] = bench::median_interval(ratios);
    bench::print({claim, percentiles(of_appends), "overwriting 16 KB, fdatasync, one after another",
                  percentiles(of_syncs),
                  "p99: " + bench::fixed(ratio, 2) + " (" + bench::fixed(low, 2) + " … " + bench::fixed(high, 2) + ")",
                  "≤ " + bench::fixed(most, 1), ratio <= most});
}

bool keeps(bench::options const& options, double rate) {
    target ours(options);
    ours.apply(50'000, 0.2);
    auto const latencies = ours.apply(rate, 1);
    ours.check();
    auto const last =
        std::vector<double>(latencies.end() - static_cast<std::ptrdiff_t>(latencies.size() / 50), latencies.end());
    bench::note(bench::figure(rate) + "/s: the last ones took " + bench::fixed(bench::median(last), 1) + " ms (p50)");
    return bench::median(last) <= kept_within;
}

double highest_rate(bench::options const& options, double first, double step) {
    auto rate = first;
    while (rate < 5e6 && keeps(options, rate * step)) rate *= step;
    return rate;
}

void body(bench::options const& options) {
    constexpr double required = 100'000;
    for (double const rate : {1'000.0, 10'000.0, required}) measure_latency(options, rate);
    std::vector<double> highest;
    for (int round = 0; round < (options.quick ? 1 : options.rounds); ++round)
        highest.push_back(highest_rate(options, required, options.quick ? 2 : 1.25));
    auto const kept = bench::median(highest);
    bench::print({"highest rate of arrivals that is kept", bench::figure(kept) + "/s", "wanted",
                  bench::figure(required) + "/s", bench::fixed(kept / required, 1), "≥ 1", kept >= required});
}

}  // namespace

int main(int argc, char** argv) { return bench::run_program(argc, argv, body); }
