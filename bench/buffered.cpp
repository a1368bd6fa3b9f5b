// A buffered producer against a bare SQLite loop that writes the same documents in segments of the same size, and
// against Redis Streams that make every write durable.
#include "support/bare_sqlite.hpp"
#include "support/options.hpp"
#include "support/producing.hpp"
#include "support/redis.hpp"
#include "support/report.hpp"
#include "support/stored.hpp"
#include "support/temporary.hpp"

namespace {

void body(bench::options const& options) {
    auto const count = options.documents(1'000'000, 200'000);
    std::int64_t segment_size = 1'000;
    auto const ours = [&] {
        bench::temporary_directory const directory(options.dir);
        auto const rate = bench::producer_rate(directory.url(), count);
        auto const found = bench::read_stored(directory.database());
        bench::require_in_order(found, count);
        auto const segments = static_cast<std::int64_t>(found.sizes.size());
        segment_size = (count + segments - 1) / segments;
        bench::note("documents in a segment: " + std::to_string(segment_size));
        return rate;
    };
    auto const bare = [&] {
        bench::temporary_directory const directory(options.dir);
        return bench::bare_rate(directory.database(), count, segment_size);
    };
    auto const redis = [&] { return bench::redis_rate(options.dir, count, 16, 256); };
    std::vector<bench::contestant> contestants{{"buffered producer", ours}};
    if (!options.ours_alone) {
        contestants.push_back({"bare SQLite loop", bare});
        contestants.push_back({"Redis Streams", redis});
    }
    auto const results = bench::alternate(options.rounds, contestants);
    if (options.ours_alone) return;
    bench::print_ratio("buffered producer", results[0], "bare SQLite loop, segments of the same size", results[1], 0.7);
    bench::print_ratio("buffered producer", results[0], "Redis Streams, appendfsync always, 16 × pipeline 256",
                       results[2], 2.5);
}

}  // namespace

int main(int argc, char** argv) { return bench::run_program(argc, argv, body); }
