#include "reliability/after_kills.hpp"

#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <boost/test/unit_test.hpp>
#include <iostream>
#include <minibatch.hpp>

#include "support/coroutine.hpp"
#include "support/soak.hpp"

namespace minibatch::test {
namespace {

void none(std::vector<std::string> const& problems) {
    BOOST_TEST(problems.empty(), problems.size() << " problems");
    for (std::size_t i = 0; i < std::min<std::size_t>(problems.size(), 20); ++i) BOOST_TEST_MESSAGE(problems[i]);
}

/// The messages that are in the stream of numbers; its only group must have committed all, and lost none.
boost::asio::awaitable<void> read_log(std::string url, int partitions, std::vector<numbered>& into) {
    auto const db = co_await connect(url);
    std::string const stream_name = "numbers";
    auto numbers = co_await db.find_stream(stream_name);
    auto const info = co_await numbers.info();
    BOOST_TEST(info.groups.at(0).lag == 0);
    BOOST_TEST(info.groups.at(0).lost == 0);
    for (int partition = 0; partition < partitions; ++partition) {
        for (std::int64_t from = 0; true;) {
            auto const some = co_await numbers.peek(partition, from, 5'000);
            if (some.empty()) break;
            for (auto const& each : some) into.push_back(from_message(each));
            from = some.back().offset() + 1;
        }
    }
}

void check_log(kill_plan const& how, std::vector<numbered> const& log, std::vector<numbered> const& committed) {
    if (how.keep) {
        BOOST_TEST(log.size() == committed.size());
        BOOST_TEST((log == committed));
        return;
    }
    for (int partition = 0; partition < how.windows.partitions; ++partition) {
        std::vector<numbered> left;
        std::vector<numbered> all;
        std::ranges::copy_if(log, std::back_inserter(left), [&](auto const& m) { return m.partition == partition; });
        std::ranges::copy_if(committed, std::back_inserter(all),
                             [&](auto const& m) { return m.partition == partition; });
        BOOST_TEST(left.size() <= static_cast<std::size_t>(std::max<std::int64_t>(how.windows.count, 1)));
        BOOST_TEST((left.size() <= all.size() && std::equal(left.rbegin(), left.rend(), all.rbegin())));
    }
}

/// What exactly the kills hit is left to chance.
void check_that_something_was_hit(int kills, history const& told, std::size_t messages) {
    using outcome = delivery::outcome;
    auto const with = [&](outcome what) {
        return std::ranges::count(told.deliveries, what, [](auto const& each) { return each.what; });
    };
    auto const again = std::ranges::count_if(told.deliveries, [](auto const& each) { return each.attempt > 1; });
    auto const doubtful = std::ranges::count_if(told.calls, [](auto const& each) { return !each.acknowledged; });
    std::cout << kills << " kills: " << messages << " messages, " << doubtful << " appends in doubt, "
              << told.deliveries.size() << " deliveries, " << again << " of them repeated, " << with(outcome::committed)
              << " committed, " << with(outcome::in_doubt) << " in doubt, " << with(outcome::fenced) << " fenced\n";
    BOOST_TEST(messages > 0U);
    BOOST_TEST(doubtful + again > 0);
}

}  // namespace

int kills_of_run(kill_plan const& how) { return soaking() ? how.kills : how.kills / 3; }

std::vector<std::string> consuming(kill_plan const& how) {
    return {"strategy=" + how.strategy, "in_flight=" + std::to_string(how.windows.max_in_flight),
            how.keep ? "keep=1" : "keep=0"};
}

void check_after_kills(kill_plan const& how, history const& told, std::string const& url) {
    auto const found = check_windows(told, how.windows);
    none(found.problems);
    none(check_appends(told, found.messages, how.windows.partitions));
    std::vector<numbered> log;
    ::test::run([&] { return read_log(url, how.windows.partitions, log); });
    check_log(how, log, found.messages);
    check_that_something_was_hit(kills_of_run(how), told, found.messages.size());
}

}  // namespace minibatch::test
