#include <sqlite3.h>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <minibatch.hpp>

#include "support/coroutine.hpp"
#include "support/temporary_directory.hpp"

using namespace std::chrono_literals;
namespace asio = boost::asio;

BOOST_AUTO_TEST_SUITE(trimming)

namespace {

/// Another program that keeps everybody from writing.
class blocker {
  public:
    explicit blocker(std::string const& path) {
        BOOST_REQUIRE(sqlite3_open(path.c_str(), &db_) == SQLITE_OK);
        sqlite3_busy_timeout(db_, 10'000);
        BOOST_REQUIRE(sqlite3_exec(db_, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr) == SQLITE_OK);
    }
    ~blocker() { sqlite3_close(db_); }
    blocker(blocker const&) = delete;
    blocker& operator=(blocker const&) = delete;

  private:
    sqlite3* db_ = nullptr;
};

}  // namespace

// Trimming falls due while commits are waiting to be stored: it must not be taken to cover them.
COROUTINE_TEST(nothing_stays_behind_commits_that_had_to_wait) {
    minibatch::test::temporary_directory const directory;
    auto const executor = co_await asio::this_coro::executor;
    auto const url = "sqlite:" + (directory / "test.db");
    auto const db = co_await minibatch::connect(url);
    auto stream = co_await minibatch::stream::get_or_create(db, "readings");
    boost::json::value const document = boost::json::object{{"value", 1}};
    for (int i = 0; i < 10; ++i) co_await stream.append(document);
    minibatch::consumer_options options;
    options.max_in_flight = 10;
    auto how = minibatch::count_window(1);
    auto consumer = co_await stream.consume(how, options);
    std::vector<minibatch::window> windows;
    for (int i = 0; i < 10; ++i) windows.push_back(std::move(*co_await consumer.next_window()));

    co_await windows[0].commit();  // trimming is due in 100 ms
    int committed = 1;
    {
        blocker const other(directory / "test.db");
        auto const count = [&committed](minibatch::error_code failed) { committed += failed ? 0 : 1; };
        for (std::size_t i = 1; i < 10; ++i) windows[i].commit(asio::bind_executor(executor, count));
        asio::steady_timer due(executor, 150ms);
        co_await due.async_wait(asio::use_awaitable);
        BOOST_TEST(committed == 1);
    }
    consumer.stop();
    auto const end = co_await consumer.next_window();
    BOOST_TEST(!end.has_value());
    BOOST_TEST(committed == 10);
    auto const info = co_await stream.info();
    BOOST_TEST(info.groups.at(0).lag == 0);
    BOOST_TEST(info.messages == 1);  // the last record always stays
}

BOOST_AUTO_TEST_SUITE_END()
