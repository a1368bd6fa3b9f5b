// A buffered producer against the C driver alone, on one server: a bare loop that inserts the same segments, and
// insert_many with one document a message. All writes are acknowledged by a majority, with journal.
#include "support/bare_mongo.hpp"
#include "support/mongo_databases.hpp"
#include "support/options.hpp"
#include "support/producing.hpp"
#include "support/report.hpp"
#include "support/stored_mongo.hpp"

namespace {

void body(bench::options const& options) {
    auto const count = options.documents(1'000'000, 100'000);
    bench::mongo_databases databases(options);
    std::vector<std::int64_t> sizes;  // of the segments that our producer made
    auto const ours = [&] {
        auto const url = databases.fresh();
        auto const rate = bench::producer_rate(url, count);
        auto const found = bench::read_stored_on_mongo(url);
        bench::require_in_order(found, count);
        bench::require(found.first_messages == bench::bare_messages(0, found.sizes.front()),
                       "the bare loop builds the same BSON as minibatch");
        sizes = found.sizes;
        bench::note("segments: " + std::to_string(sizes.size()) +
                    ", documents in one: " + std::to_string(found.mean_size()));
        return rate;
    };
    std::vector<bench::contestant> contestants{{"buffered producer on MongoDB", ours}};
    if (!options.ours_alone) {
        contestants.push_back({"bare loop", [&] { return bench::bare_segments_rate(databases.fresh(), sizes); }});
        // Much slower: fewer documents take as long.
        contestants.push_back(
            {"insert_many", [&] { return bench::insert_many_rate(databases.fresh(), count / 4, 1'000); }});
    }
    auto const results = bench::alternate(options.rounds, contestants);
    if (options.ours_alone) return;
    bench::print_ratio("MongoDB: buffered producer", results[0], "bare mongo-c-driver loop, the same segments",
                       results[1], 0.8);
    bench::print_ratio("MongoDB: buffered producer", results[0], "insert_many, a document a message, batches of 1,000",
                       results[2], 5);
}

}  // namespace

int main(int argc, char** argv) { return bench::run_program(argc, argv, body); }
