// Values that another program wrote into the database: each operation ends with errc::corrupt that names the record, or
// is not concerned. None waits, spins or overflows.

#include <sqlite3.h>
#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <filesystem>
#include <functional>
#include <minibatch.hpp>
#include <random>
#include <string>
#include <vector>

#include "support/coroutine.hpp"
#include "support/soak.hpp"
#include "support/temporary_directory.hpp"

using namespace std::chrono_literals;
namespace asio = boost::asio;
using minibatch::errc;

BOOST_AUTO_TEST_SUITE(damaged_values)

namespace {

/// For an operation that meets a damaged value. Sanitizers are slow.
constexpr auto limit = 5s;
/// A consumer that finds nothing wrong, and has nothing to deliver, is left after this time.
constexpr auto quiet = 100ms;

/// What one operation came to.
struct outcome {
    bool corrupt = false;
    bool in_use = false;
    std::string text;
};

asio::awaitable<void> first_window(minibatch::stream stream, minibatch::strategy how, std::string group) {
    using namespace asio::experimental::awaitable_operators;
    minibatch::consumer_options options;
    options.group = group;
    options.lease = 300ms;
    auto consumer = co_await stream.consume(how, options);
    asio::steady_timer alarm(co_await asio::this_coro::executor, quiet);
    auto came = co_await (consumer.next_window() || alarm.async_wait(asio::use_awaitable));
    if (auto* window = std::get_if<0>(&came); window && *window) co_await (*window)->commit();
}

struct operation {
    std::string name;
    std::function<asio::awaitable<void>(minibatch::database)> run;
};

asio::awaitable<minibatch::stream> readings(minibatch::database db) { co_return co_await db.find_stream("s"); }

std::vector<operation> operations() {
    return {
        {"append",
         [](minibatch::database db) -> asio::awaitable<void> {
             auto stream = co_await readings(db);
             co_await stream.append_json("{}");
         }},
        {"peek",
         [](minibatch::database db) -> asio::awaitable<void> {
             auto stream = co_await readings(db);
             co_await stream.peek(0, 0, 100);
         }},
        {"peek from an offset",
         [](minibatch::database db) -> asio::awaitable<void> {
             auto stream = co_await readings(db);
             co_await stream.peek(0, 3, 100);
         }},
        {"info",
         [](minibatch::database db) -> asio::awaitable<void> {
             auto stream = co_await readings(db);
             co_await stream.info();
         }},
        {"list streams", [](minibatch::database db) -> asio::awaitable<void> { co_await db.streams(); }},
        {"consume by count",
         [](minibatch::database db) -> asio::awaitable<void> {
             auto stream = co_await readings(db);
             co_await first_window(stream, minibatch::count_window(6), "g");
         }},
        {"consume by time",
         [](minibatch::database db) -> asio::awaitable<void> {
             auto stream = co_await readings(db);
             co_await first_window(stream, minibatch::fixed_time_window(10ms), "g");
         }},
        {"consume as a new group",
         [](minibatch::database db) -> asio::awaitable<void> {
             auto stream = co_await readings(db);
             co_await first_window(stream, minibatch::count_window(2), "new");
         }},
        {"delete the group",
         [](minibatch::database db) -> asio::awaitable<void> { co_await db.delete_group("s", "g"); }},
        {"clear",
         [](minibatch::database db) -> asio::awaitable<void> {
             auto stream = co_await readings(db);
             co_await stream.clear();
         }},
        {"delete the stream", [](minibatch::database db) -> asio::awaitable<void> { co_await db.delete_stream("s"); }},
    };
}

class file {
  public:
    explicit file(std::string const& path) { BOOST_REQUIRE(sqlite3_open(path.c_str(), &db_) == SQLITE_OK); }
    ~file() { sqlite3_close(db_); }
    void run(std::string const& sql) const {
        BOOST_REQUIRE_MESSAGE(sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK,
                              sql << ": " << sqlite3_errmsg(db_));
    }

  private:
    sqlite3* db_ = nullptr;
};

/// Three records of two messages each, 0 to 2, and a group that has committed nothing.
void make(std::string const& path) {
    ::test::run([&]() -> asio::awaitable<void> {
        auto const db = co_await minibatch::connect("sqlite:" + path + "?synchronous=normal");
        auto stream = co_await minibatch::stream::get_or_create(db, "s");
        for (int i = 0; i < 3; ++i) {
            std::vector<boost::json::object> const two(2);
            co_await stream.append(two);
        }
        co_await first_window(stream, minibatch::count_window(100), "g");
    });
}

double processor_seconds() {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    auto const seconds = [](timeval const& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

outcome attempt(std::string const& path, operation const& what) {
    outcome out;
    ::test::run(
        [&]() -> asio::awaitable<void> {
            try {
                auto const db = co_await minibatch::connect("sqlite:" + path + "?synchronous=normal");
                co_await what.run(db);
            } catch (minibatch::error const& problem) {
                out.corrupt = problem.code() == errc::corrupt;
                out.in_use = problem.code() == errc::group_in_use;
                out.text = problem.what();
                if (!out.corrupt) out.text = problem.code().message() + ": " + out.text;
            }
        },
        std::chrono::duration_cast<std::chrono::seconds>(limit));
    return out;
}

struct damage {
    std::string sql;
    std::string named;  // part of each error
    bool found = true;  // by at least one operation
};

std::string const largest = "9223372036854775807";
std::string const segment = "UPDATE minibatch_segments SET ";
std::string const partition = "UPDATE minibatch_partitions SET ";
std::string const group = "UPDATE minibatch_groups SET ";
std::string const stream = "UPDATE minibatch_streams SET ";
std::string const of_record = " WHERE number = ";

std::vector<damage> damages() {
    std::string const record = "stream 's', partition 0, record ";
    std::string const of_group = "stream 's', partition 0, group 'g'";
    std::string const of_partition = "stream 's', partition 0";
    std::string const of_stream = "stream 's'";
    std::vector<damage> all;
    // Numbers. One that is as large as can be stored would be in the next partition's place.
    all.push_back({segment + "id = id + 1099511627700" + of_record + "2", record});
    all.push_back({segment + "id = id + 1000" + of_record + "2", record});
    all.push_back({segment + "id = 10000000000000" + of_record + "2", record + "1", false});
    all.push_back({segment + "id = id + 10000000000000" + of_record + "2", record + "1", false});
    all.push_back({"DELETE FROM minibatch_segments" + of_record + "0", record + "0"});
    all.push_back({"DELETE FROM minibatch_segments" + of_record + "1", record + "1"});
    all.push_back({"DELETE FROM minibatch_segments", of_partition, false});
    for (std::string const number : {"0", "2"}) {
        for (std::string const column : {"first", "count", "created", "bytes_before", "bytes"})
            for (auto const& value : {"-" + largest, largest, std::string("'x'"), std::string("x'00'")})
                all.push_back({segment + column + " = " + value + of_record + number, record + number});
        all.push_back({segment + "first = first + 1" + of_record + number, record});
        all.push_back({segment + "first = first - 1" + of_record + number, record});
        all.push_back({segment + "count = count + 1" + of_record + number, record});
        all.push_back({segment + "count = count - 1" + of_record + number, record});
        all.push_back({segment + "bytes = bytes + 1" + of_record + number, record + number});
        all.push_back({segment + "data = NULL" + of_record + number, record + number});
        all.push_back({segment + "data = 17" + of_record + number, record + number});
        all.push_back({segment + "data = replace(data, '{', '[')" + of_record + number, record + number});
    }
    for (std::string const column : {"slot", "floor_number", "floor_offset", "floor_bytes", "cleared", "epoch_base"})
        for (auto const& value : {"-" + largest, std::string("-1"), largest, std::string("'x'")})
            all.push_back({partition + column + " = " + value, of_partition});
    // It looks like one without records.
    all.push_back({partition + "slot = slot + 1", "", false});
    all.push_back({partition + "floor_number = 1", record + "1"});
    all.push_back({partition + "floor_offset = 1", record + "0"});
    all.push_back({partition + "cleared = 7", of_partition});
    for (auto const& value : {"-" + largest, std::string("0"), std::string("1025"), largest, std::string("'x'")})
        all.push_back({stream + "partitions = " + value, of_stream});
    for (std::string const column : {"max_age", "max_messages", "max_bytes"})
        for (auto const& value : {"-" + largest, std::string("-1"), std::string("'x'")})
            all.push_back({stream + column + " = " + value, of_stream});
    for (std::string const column : {"max_messages", "max_bytes"})
        all.push_back({stream + column + " = " + largest, "", false});
    for (std::string const column : {"low", "low_number", "takeovers", "lost", "epoch"})
        for (auto const& value : {"-" + largest, std::string("-1"), largest, std::string("'x'")})
            all.push_back({group + column + " = " + value, of_group});
    for (std::string const column : {"start_time", "windows_end", "expires"})
        for (auto const& value : {"-" + largest, largest, std::string("'x'")})
            all.push_back({group + column + " = " + value, of_group});
    all.push_back({group + "low = 7, low_number = 3", of_group});
    all.push_back({group + "low = 6, low_number = 1", "", false});  // harmless
    all.push_back({group + "low = 0, low_number = 2", record + "2"});
    all.push_back({group + "partition = 5", of_stream});
    all.push_back({group + "details = 'x'", of_group});
    all.push_back(
        {group + "details = '{\"committed\":[[0,9223372036854775807]],\"recorded\":[],\"failures\":[]}'", of_group});
    // A year that a steady clock cannot tell. The lease is taken to be what it says.
    all.push_back({group + "owner = 'x', acquisition = 'y', expires = 11000000000000", "", false});
    return all;
}

}  // namespace

BOOST_AUTO_TEST_CASE(end_in_errors_that_name_the_record) {
    minibatch::test::temporary_directory const directory;
    auto const sound = directory / "sound.db";
    make(sound);
    auto const path = directory / "test.db";
    auto all = operations();
    std::mt19937_64 chance(minibatch::test::seed_of_run());
    for (auto const& [sql, named, found] : damages()) {
        BOOST_TEST_CONTEXT(sql) {
            bool noticed = false;
            std::shuffle(all.begin(), all.end(), chance);
            for (auto const& what : all) {
                // The short form is over when one operation has met the damage.
                if (noticed && !minibatch::test::soaking()) break;
                for (auto const* suffix : {"-wal", "-shm", "-minibatch"}) std::filesystem::remove(path + suffix);
                std::filesystem::copy_file(sound, path, std::filesystem::copy_options::overwrite_existing);
                file(path).run(sql);
                auto const before = processor_seconds();
                auto const result = attempt(path, what);
                BOOST_TEST(processor_seconds() - before < 0.9, what.name << " keeps the processor busy");
                if (result.text.empty() || result.in_use) continue;
                BOOST_TEST(result.corrupt, what.name << ": " << result.text);
                BOOST_TEST(result.text.find(named) != std::string::npos, what.name << ": " << result.text);
                noticed = true;
            }
            BOOST_TEST((noticed || !found));
        }
    }
}

BOOST_AUTO_TEST_CASE(triggers_on_the_tables_are_refused_by_name) {
    minibatch::test::temporary_directory const directory;
    auto const path = directory / "test.db";
    make(path);
    operation const connect{"connect", [](minibatch::database) -> asio::awaitable<void> { co_return; }};
    file const other(path);
    other.run("CREATE TABLE mine (x)");
    other.run("CREATE TRIGGER of_mine AFTER INSERT ON mine BEGIN SELECT 1; END");
    BOOST_TEST(attempt(path, connect).text == "");
    for (std::string const table : {"minibatch_streams", "minibatch_partitions", "MINIBATCH_SEGMENTS",
                                    "minibatch_groups", "minibatch_collections"}) {
        other.run("CREATE TRIGGER stranger BEFORE DELETE ON " + table + " BEGIN SELECT RAISE(IGNORE); END");
        auto const refused = attempt(path, connect);
        BOOST_TEST(refused.corrupt, refused.text);
        BOOST_TEST(refused.text.find("'stranger'") != std::string::npos, refused.text);
        other.run("DROP TRIGGER stranger");
    }
    BOOST_TEST(attempt(path, connect).text == "");
}

BOOST_AUTO_TEST_SUITE_END()
