// Append, count windows of 100, every document decoded and visited, commit, trimming on, all at the same time; against
// Bytewax's `collect`, which works in memory.
#include "support/end_to_end.hpp"

#include "support/options.hpp"
#include "support/python_peer.hpp"
#include "support/report.hpp"
#include "support/temporary.hpp"

namespace {

double run_bytewax(bench::options const& options, std::int64_t count, std::string const& mode) {
    return bench::python_peer(options, "bytewax_collect.py", {std::to_string(count), mode});
}

void body(bench::options const& options) {
    auto const count = options.documents(500'000, 100'000) / bench::window_size * bench::window_size;
    auto const in_flight = options.in_flight > 0 ? options.in_flight : 1000;
    std::vector<bench::contestant> contestants{{"minibatch on disk", [&] {
                                                    bench::temporary_directory const directory(options.dir);
                                                    return bench::end_to_end_rate(directory.url(), count, in_flight);
                                                }}};
    if (!options.ours_alone) {
        contestants.push_back({"Bytewax, documents ready made", [&] { return run_bytewax(options, count, "ready"); }});
        contestants.push_back({"Bytewax, decoding them", [&] { return run_bytewax(options, count, "decode"); }});
    }
    auto const results = bench::alternate(options.rounds, contestants);
    if (options.ours_alone) return;
    auto const claim = "append → window of 100 → decode → commit, " + std::to_string(in_flight) + " in flight";
    bench::print_ratio(claim, results[0], "Bytewax `collect`, in memory, nothing to decode", results[1], 1.0);
    bench::print_ratio(claim, results[0], "the same, decoding the documents", results[2], 1.0);
}

}  // namespace

int main(int argc, char** argv) { return bench::run_program(argc, argv, body); }
