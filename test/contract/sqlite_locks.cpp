#include <future>

#include "contract/other_program.hpp"
#include "contract/stores.hpp"

using namespace minibatch;
using namespace minibatch::test;

/// Another program holds the lock that we wait for.
BOOST_AUTO_TEST_SUITE(sqlite_locks)

BOOST_AUTO_TEST_CASE(a_lock_is_waited_for_until_the_deadline) {
    temporary_directory dir;
    auto const path = dir / "a.db";
    auto const db = open_store("sqlite:" + path);
    log_id const log{db->open_stream("s", 1, {}, soon()).incarnation, 0};
    other_program const other(path);
    other.run("BEGIN IMMEDIATE");
    write_job job{rig::segment(log), {}};
    auto const start = std::chrono::steady_clock::now();
    db->write({&job, 1}, start + milliseconds(30));
    BOOST_TEST((std::chrono::steady_clock::now() - start < std::chrono::seconds(5)));
    BOOST_TEST((std::get<error>(job.result).code() == errc::timeout));
    BOOST_TEST(std::string(std::get<error>(job.result).what()).find("locked") != std::string::npos);
    BOOST_TEST(db->state(log, soon()).end.offset == 0);  // reading goes on
    other.run("COMMIT");
    BOOST_TEST(rig::append_with(*db, log).first == 0);
}

BOOST_AUTO_TEST_CASE(deadlines_are_by_the_clock_given) {
    struct clock_ahead final : clock {
        time_ms system_now() override { return 1'000'000; }
        steady_time steady_now() override { return std::chrono::steady_clock::now() + std::chrono::hours(1); }
    };
    temporary_directory dir;
    auto const path = dir / "a.db";
    open_options options;
    options.time = std::make_shared<clock_ahead>();
    auto const db = open_store("sqlite:" + path, options);
    log_id const log{db->open_stream("s", 1, {}, options.time->steady_now() + std::chrono::seconds(20)).incarnation, 0};
    other_program const other(path);
    other.run("BEGIN IMMEDIATE");
    write_job job{rig::segment(log), {}};
    auto writing = std::async(std::launch::async, [&] {
        db->write({&job, 1}, options.time->steady_now() + milliseconds(30));
    });
    auto const ended = writing.wait_for(std::chrono::seconds(10));
    other.run("COMMIT");
    writing.get();
    BOOST_TEST((ended == std::future_status::ready));
    BOOST_REQUIRE(std::holds_alternative<error>(job.result));
    BOOST_TEST((std::get<error>(job.result).code() == errc::timeout));
}

BOOST_AUTO_TEST_CASE(waiting_calls_are_cut_short) {
    temporary_directory dir;
    auto const path = dir / "a.db";
    auto const db = open_store("sqlite:" + path);
    log_id const log{db->open_stream("s", 1, {}, soon()).incarnation, 0};
    other_program const other(path);
    other.run("BEGIN IMMEDIATE");
    write_job job{rig::segment(log), {}};
    auto const began = std::chrono::steady_clock::now();
    auto writing = std::async(std::launch::async, [&] { db->write({&job, 1}, began + std::chrono::minutes(1)); });
    BOOST_TEST((writing.wait_for(milliseconds(50)) == std::future_status::timeout));
    db->limit_calls(std::chrono::steady_clock::now() + milliseconds(50));
    writing.get();
    BOOST_REQUIRE(std::holds_alternative<error>(job.result));
    BOOST_TEST((std::get<error>(job.result).code() == errc::timeout));
    BOOST_TEST(
        (code_of([&] { db->delete_stream("s", log.incarnation, began + std::chrono::minutes(1)); }) == errc::timeout));
    BOOST_TEST((std::chrono::steady_clock::now() - began < std::chrono::seconds(5)));
    other.run("COMMIT");
}

BOOST_AUTO_TEST_SUITE_END()
