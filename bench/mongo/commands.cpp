// How many commands a count window takes, whatever its size: caught up with another handle that appends, and with many
// messages waiting. One window after another, each committed before the next.
#include "../test/support/window_commands.hpp"

#include "support/clock.hpp"
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

/// Removal goes by time, and is no part of a window: how much it adds to it.
void print_removal(std::string const& url, std::int64_t windows) {
    constexpr double of_one = 12, each_seconds = 5;
    test::counted_database counted(url);
    test::window_commands kept;
    test::window_commands removed;
    bench::run(test::count_when_caught_up(url, counted, 500, windows, true, kept));
    bench::stopwatch const watch;
    bench::run(test::count_when_caught_up(url, counted, 501, windows, false, removed));
    auto const seconds = watch.seconds();
    auto const more = (removed.per_window() - kept.per_window()) * static_cast<double>(windows);
    auto const limit = of_one * (seconds / each_seconds + 1);
    bench::print({"… removal of what was committed, beside that",
                  bench::fixed(more, 0) + " in " + bench::fixed(seconds, 1) + " s",
                  "limit: 12 commands each 5 s, and once more", bench::fixed(limit, 0), bench::fixed(more / limit, 2),
                  "≤ 1", more <= limit});
}

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
        bench::run(test::count_when_caught_up(url, counted, size, windows, true, found));
        caught_up.add("caught up", size, found);
    }
    caught_up.print("MongoDB: commands a window of 1 / 10 / 100 / 1,000 / 10,000, caught up");

    print_removal(url, options.quick ? 100 : 2'000);

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
