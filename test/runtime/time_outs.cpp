#include <sqlite3.h>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <minibatch.hpp>

#include "support/coroutine.hpp"
#include "support/temporary_directory.hpp"

using namespace std::chrono_literals;
namespace asio = boost::asio;
using minibatch::errc;

BOOST_AUTO_TEST_SUITE(time_outs)

namespace {

/// Holds the write lock of a database file, as another program.
class write_lock {
  public:
    explicit write_lock(std::string const& path) {
        sqlite3_open(path.c_str(), &db_);
        BOOST_REQUIRE(sqlite3_exec(db_, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr) == SQLITE_OK);
    }
    ~write_lock() { sqlite3_close(db_); }
    write_lock(write_lock const&) = delete;
    write_lock& operator=(write_lock const&) = delete;

  private:
    sqlite3* db_ = nullptr;
};

asio::awaitable<minibatch::stream> opened(std::string path, minibatch::milliseconds timeout) {
    minibatch::connect_options options;
    options.timeout = timeout;
    options.connect_timeout = timeout;
    auto const db = co_await minibatch::connect("sqlite:" + path, options);
    auto made = co_await minibatch::stream::get_or_create(db, "s");
    co_return made;
}

asio::awaitable<errc> code_of(minibatch::stream into) {
    try {
        co_await into.append_json("{}");
    } catch (minibatch::error const& problem) {
        co_return static_cast<errc>(problem.code().value());
    }
    co_return errc{};
}

}  // namespace

// Whoever has a time-out gives up first; whoever has none, or one that no clock can count, goes on.
COROUTINE_TEST(zero_is_none) {
    using namespace asio::experimental::awaitable_operators;
    minibatch::test::temporary_directory const directory;
    auto const path = directory / "test.db";
    auto const limited = co_await opened(path, 300ms);
    auto const unlimited = co_await opened(path, 0ms);
    auto const endless = co_await opened(path, minibatch::milliseconds::max());
    std::optional<write_lock> lock(std::in_place, path);
    std::vector<int> order;
    auto const append = [&order](minibatch::stream into, int number) -> asio::awaitable<errc> {
        auto const code = co_await code_of(std::move(into));
        order.push_back(number);
        co_return code;
    };
    auto const first = [&]() -> asio::awaitable<errc> {
        auto const code = co_await append(limited, 1);
        lock.reset();
        co_return code;
    };
    auto const [late, done, also_done] = co_await (first() && append(unlimited, 2) && append(endless, 3));
    BOOST_TEST((late == errc::timeout));
    BOOST_TEST((done == errc{}));
    BOOST_TEST((also_done == errc{}));
    BOOST_TEST(order.at(0) == 1);
}

COROUTINE_TEST(negative_ones_are_refused) {
    for (bool const connecting : {false, true}) {
        minibatch::connect_options options;
        (connecting ? options.connect_timeout : options.timeout) = -1ms;
        std::string text;
        try {
            co_await minibatch::connect("memory:", options);
        } catch (minibatch::error const& problem) {
            BOOST_TEST((problem.code() == errc::invalid_argument));
            text = problem.what();
        }
        BOOST_TEST(text == std::string("connect_options::") + (connecting ? "connect_timeout" : "timeout") +
                               " must not be negative, not -1 ms");
    }
}

BOOST_AUTO_TEST_SUITE_END()
