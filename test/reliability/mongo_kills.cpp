#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <iostream>
#include <minibatch.hpp>
#include <thread>

#include "reliability/chaos.hpp"
#include "reliability/checks.hpp"
#include "support/coroutine.hpp"
#include "support/mongo_server.hpp"

using namespace minibatch;
using namespace minibatch::test;
namespace asio = boost::asio;

namespace {

std::uint64_t seed_of_run() {
    if (auto const* given = std::getenv("MINIBATCH_RELIABILITY_SEED")) return std::stoull(given);
    return std::random_device()();
}

void none(std::vector<std::string> const& problems) {
    BOOST_TEST(problems.empty(), problems.size() << " problems");
    for (std::size_t i = 0; i < std::min<std::size_t>(problems.size(), 20); ++i) BOOST_TEST_MESSAGE(problems[i]);
}

asio::awaitable<void> read_log(std::string url, int partitions, std::vector<numbered>& into) {
    auto const db = co_await connect(url);
    std::string const stream_name = "numbers";
    auto numbers = co_await db.find_stream(stream_name);
    for (int partition = 0; partition < partitions; ++partition) {
        for (std::int64_t from = 0; true;) {
            auto const some = co_await numbers.peek(partition, from, 5'000);
            if (some.empty()) break;
            for (auto const& each : some) into.push_back(from_message(each));
            from = some.back().offset() + 1;
        }
    }
}

/// Kills workers, and beside it the server. All messages are kept, so that the log can be compared with the windows.
void run(expectation const& expected, std::string const& strategy, int kills, int server_kills) {
    auto const seed = seed_of_run();
    BOOST_TEST_INFO_SCOPE("MINIBATCH_RELIABILITY_SEED=" << seed);
    mongo_server server({.sync_on_commit = true});
    chaos all(seed, {"partitions=" + std::to_string(expected.partitions)},
              {"strategy=" + strategy, "in_flight=" + std::to_string(expected.max_in_flight), "keep=1", "lease=600"},
              server.url("numbers"));
    std::atomic<int> left = server_kills;
    std::string failed;
    std::thread killer([&] {
        try {
            for (; left > 0; --left) {
                std::this_thread::sleep_for(milliseconds(1'500));
                server.kill();
                server.start();
            }
        } catch (std::exception const& problem) {
            failed = problem.what();
        }
    });
    std::string broken;
    try {
        all.run(kills);
        left = std::min<int>(left, 0);
        killer.join();
        all.finish();
    } catch (std::exception const& problem) {
        broken = problem.what();
        left = 0;
        if (killer.joinable()) killer.join();
    }
    BOOST_REQUIRE_MESSAGE(broken.empty(), broken);
    BOOST_REQUIRE_MESSAGE(failed.empty(), failed);
    auto const told = all.reports();
    auto const found = check_windows(told, expected);
    none(found.problems);
    none(check_appends(told, found.messages, expected.partitions));
    std::vector<numbered> log;
    ::test::run([&] { return read_log(all.database(), expected.partitions, log); });
    BOOST_TEST((log == found.messages));
    std::cout << kills << " kills: " << found.messages.size() << " messages, " << told.deliveries.size()
              << " deliveries\n";
    BOOST_TEST(!found.messages.empty());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(mongo_kills)

BOOST_AUTO_TEST_CASE(count_windows) { run({.count = 10}, "count:10", 120, 0); }
BOOST_AUTO_TEST_CASE(two_partitions_and_the_server) { run({.partitions = 2, .count = 10}, "count:10", 150, 4); }

BOOST_AUTO_TEST_SUITE_END()
