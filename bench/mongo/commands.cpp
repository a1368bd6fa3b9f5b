// How many commands a count window takes, whatever its size: caught up with another handle that appends, and with many
// messages waiting. One window after another, each committed before the next.
#include "../test/support/window_commands.hpp"

#include "support/coroutine.hpp"
#include "support/mongo_databases.hpp"
#include "support/options.hpp"
#include "support/report.hpp"

namespace {

namespace test = minibatch::test;

struct row_of_sizes {
    std::string text;
    double most = 0;

    void add(std::string const& what, std::int64_t size, test::window_commands const& found) {
        std::string kinds;
        for (auto const& [name, count] : found.counts)
            kinds += (kinds.empty() ? "" : ", ") + name + " " + std::to_string(count);
        bench::note(what + ", " + std::to_string(found.windows) + " windows of " + std::to_string(size) + ": " + kinds);
        text += (text.empty() ? "" : " / ") + bench::fixed(found.per_window(), 2);
        most = std::max(most, found.per_window());
    }
    void print(std::string const& claim) const {
        bench::print({claim, text, "limit", "2", bench::fixed(most / 2, 2), "≤ 1", most <= 2});
    }
};

void body(bench::options const& options) {
    bench::mongo_databases databases(options);
    auto const url = databases.fresh();
    std::vector<std::pair<std::int64_t, std::int64_t>> const sizes_and_windows =
        options.quick ? std::vector<std::pair<std::int64_t, std::int64_t>>{{1, 100},
                                                                           {10, 100},
                                                                           {100, 100},
                                                                           {1'000, 20},
                                                                           {10'000, 5}}
                      : std::vector<std::pair<std::int64_t, std::int64_t>>{
                            {1, 1'000}, {10, 1'000}, {100, 1'000}, {1'000, 200}, {10'000, 50}};
    row_of_sizes caught_up;
    for (auto const& [size, windows] : sizes_and_windows) {
        test::counted_database counted(url);
        test::window_commands found;
        bench::run(test::count_when_caught_up(url, counted, size, windows, false, found));
        caught_up.add("caught up", size, found);
    }
    caught_up.print("MongoDB: commands a window of 1 / 10 / 100 / 1,000 / 10,000, caught up");

    auto const backlog = options.documents(1'000'000, 100'000);
    bench::note("appending " + std::to_string(backlog) + " messages");
    bench::run(test::make_backlog(url, backlog));
    row_of_sizes behind;
    for (auto const& [size, windows] : sizes_and_windows) {
        test::counted_database counted(url);
        test::window_commands found;
        bench::run(test::count_with_backlog(counted, size, windows, found));
        behind.add("with a backlog", size, found);
    }
    behind.print("… with " + bench::figure(static_cast<double>(backlog)) + " messages waiting");
}

}  // namespace

int main(int argc, char** argv) { return bench::run_program(argc, argv, body); }
