// How many commands a count window takes: at most 2, whatever its size and whatever waits. Renewals, removal and the
// change stream's getMore apart.
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include "support/coroutine.hpp"
#include "support/mongo_database.hpp"
#include "support/window_commands.hpp"

using namespace minibatch::test;

BOOST_AUTO_TEST_SUITE(commands_of_a_window)

namespace {

constexpr double most = 2;
constexpr std::int64_t backlog = 1'000'000;
constexpr std::chrono::seconds limit{120};

std::int64_t const sizes[] = {1, 10, 100, 1'000, 10'000};

/// So many that what happens now and then (trimming) shows as what it is.
std::int64_t windows_of(std::int64_t size) { return size <= 100 ? 300 : size <= 1'000 ? 100 : 20; }

void check(window_commands const& found) {
    std::string kinds;
    for (auto const& [name, count] : found.counts) kinds += " " + name + " " + std::to_string(count);
    BOOST_TEST(found.counts.at("update") >= found.windows, "each window is committed:" << kinds);
    BOOST_TEST(found.per_window() <= most, found.windows << " windows took" << kinds);
}

/// One for all tests, since it takes a while to make.
std::string const& url_of_backlog() {
    static auto const url = [] {
        auto made = fresh_database_url();
        test::run([made] { return make_backlog(made, backlog); }, limit);
        return made;
    }();
    return url;
}

}  // namespace

BOOST_DATA_TEST_CASE(caught_up, boost::unit_test::data::make(sizes), size) {
    auto const url = fresh_database_url();
    counted_database counted(url);
    window_commands found;
    auto const count = size;
    test::run([&] { return count_when_caught_up(url, counted, count, windows_of(count), true, found); }, limit);
    check(found);
}

// Removing what is committed is no part of a window: it takes commands from time to time, however many windows there
// are meanwhile.
BOOST_AUTO_TEST_CASE(removal_goes_by_time) {
    constexpr std::int64_t size = 1'000, windows = 100, of_a_removal = 8;
    auto const url = fresh_database_url();
    counted_database counted(url);
    window_commands found;
    auto const begin = std::chrono::steady_clock::now();
    test::run([&] { return count_when_caught_up(url, counted, size, windows, false, found); }, limit);
    auto const seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    auto const further = (found.per_window() - most) * windows;
    // One every 5 s at most, and one that had begun.
    BOOST_TEST(further <= of_a_removal * (seconds / 5 + 1), "in " << seconds << " s");
}

BOOST_DATA_TEST_CASE(with_a_million_waiting, boost::unit_test::data::make(sizes), size) {
    counted_database counted(url_of_backlog());
    window_commands found;
    auto const count = size;
    test::run([&] { return count_with_backlog(counted, count, windows_of(count), found); }, limit);
    check(found);
}

BOOST_AUTO_TEST_SUITE_END()
