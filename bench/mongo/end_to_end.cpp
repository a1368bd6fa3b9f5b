// Append, count windows of 100, commit, all at the same time, on MongoDB; against the Python package minibatch and
// against the C driver with one document a message, on the same server. With one window in flight, commits wait for one
// another: that is also held against a bare loop in which they do.
#include "support/end_to_end.hpp"

#include "support/bare_mongo.hpp"
#include "support/mongo_databases.hpp"
#include "support/options.hpp"
#include "support/python_peer.hpp"
#include "support/report.hpp"

namespace {

/// That of the two with the larger median.
bench::standing const& better(bench::standing const& one, bench::standing const& other) {
    return one.median < other.median ? other : one;
}

void body(bench::options const& options) {
    auto const count = options.documents(1'000'000, 100'000) / bench::window_size * bench::window_size;
    auto const in_flight = options.in_flight > 0 ? options.in_flight : 1000;
    bench::mongo_databases databases(options);
    std::vector<bench::contestant> contestants;
    for (auto const windows : {in_flight, 1})
        contestants.push_back({"minibatch on MongoDB, in flight: " + std::to_string(windows),
                               [&, windows] { return bench::end_to_end_rate(databases.fresh(), count, windows); }});
    if (!options.ours_alone) {
        contestants.push_back(
            {"minibatch for Python", [&] {
                 auto const windows = std::to_string(options.quick ? 1'000 : 3'000);
                 return bench::python_peer(options, "minibatch_count_window.py", {databases.fresh(), windows});
             }});
        // Much slower: fewer documents take as long.
        for (std::int64_t const batch : {100, 1'000})
            contestants.push_back({"insert, find, delete by " + std::to_string(batch), [&, batch] {
                                       return bench::insert_find_delete_rate(databases.fresh(), count / 10, batch);
                                   }});
        contestants.push_back({"bare loop, an update a window", [&] {
                                   return bench::bare_pipeline_rate(databases.fresh(), count, bench::window_size,
                                                                    bench::producer_lead);
                               }});
    }
    auto const results = bench::alternate(options.rounds, contestants);
    if (options.ours_alone) return;
    for (std::size_t i = 0; i < 2; ++i) {
        auto const claim = "MongoDB: append → window of 100 → commit, " +
                           (i == 0 ? std::to_string(in_flight) : std::string("one")) + " in flight";
        bench::print_ratio(claim, results[i], "Python package, CountWindow of 100, without sleeps or appends",
                           results[2], 300);
        bench::print_ratio(claim, results[i], "insert_many + find + delete_many, a document a message",
                           better(results[3], results[4]), 5);
    }
    bench::print_ratio("MongoDB: append → window of 100 → commit, one in flight", results[1],
                       "bare loop: segments in one thread, an update a window in another", results[5], 0.4);
}

}  // namespace

int main(int argc, char** argv) { return bench::run_program(argc, argv, body); }
