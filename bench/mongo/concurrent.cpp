// Four processes with buffered producers that append to one partition at the same time, against one alone.
#include <cstdio>
#include <memory>
#include <sstream>

#include "support/clock.hpp"
#include "support/mongo_databases.hpp"
#include "support/options.hpp"
#include "support/other_process.hpp"
#include "support/producing.hpp"
#include "support/report.hpp"
#include "support/stored_mongo.hpp"

namespace {

/// As the processes of `together` run it: URL, first number, count, when to begin.
void as_child(std::vector<std::string> const& with) {
    auto const took =
        bench::produce(with.at(0), std::stoll(with.at(1)), std::stoll(with.at(2)), std::stoll(with.at(3)));
    std::printf("%lld %lld\n", static_cast<long long>(took.begin), static_cast<long long>(took.end));
}

/// Documents a second of all together, from the first begin to the last end.
double together(std::string const& url, std::int64_t producers, std::int64_t count) {
    constexpr std::int64_t until_ready = 2'000'000'000;  // ns
    auto const start = std::to_string(bench::nanoseconds() + until_ready);
    std::vector<std::unique_ptr<bench::process>> all;
    for (std::int64_t p = 0; p < producers; ++p)
        all.push_back(std::make_unique<bench::process>(
            bench::own_child({url, std::to_string(p * count), std::to_string(count), start})));
    bench::span_of_time whole{std::numeric_limits<std::int64_t>::max(), 0};
    for (auto& each : all) {
        std::istringstream line(each->output());
        bench::span_of_time one;
        line >> one.begin >> one.end;
        bench::require(static_cast<bool>(line), "a producer has reported its times");
        whole = {std::min(whole.begin, one.begin), std::max(whole.end, one.end)};
    }
    auto const found = bench::read_stored_on_mongo(url);
    bench::require_order_of_each(found, producers, count);
    bench::note("documents in a segment: " + std::to_string(found.mean_size()));
    return static_cast<double>(producers * count) / whole.seconds();
}

void body(bench::options const& options) {
    if (!options.child.empty()) return as_child(options.child);
    auto const count = options.documents(1'000'000, 100'000);
    bench::mongo_databases databases(options);
    auto const results =
        bench::alternate(options.rounds, {{"four processes", [&] { return together(databases.fresh(), 4, count / 4); }},
                                          {"one process", [&] { return together(databases.fresh(), 1, count); }}});
    bench::print_ratio("MongoDB: four processes, one partition, together", results[0], "one alone", results[1], 0.6);
}

}  // namespace

int main(int argc, char** argv) { return bench::run_program(argc, argv, body); }
