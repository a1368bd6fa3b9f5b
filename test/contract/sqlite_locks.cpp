#include <future>

#include "contract/other_program.hpp"
#include "contract/stores.hpp"

using namespace minibatch;
using namespace minibatch::test;
using std::chrono::steady_clock;

BOOST_AUTO_TEST_SUITE(sqlite_locks)

namespace {

/// Another program holds the lock that an append waits for.
struct locked {
    explicit locked(open_options const& options = {})
        : time(options.time),
          path(dir / "a.db"),
          db(open_store("sqlite:" + path, options)),
          log{db->open_stream("s", 1, {}, in(std::chrono::seconds(20))).incarnation, 0},
          other(path) {
        other.run("BEGIN IMMEDIATE");
    }
    steady_time in(milliseconds left) const { return time->steady_now() + left; }
    void append(milliseconds left) { db->write({&job, 1}, in(left)); }
    /// The error of the append.
    error failure() const {
        BOOST_REQUIRE(std::holds_alternative<error>(job.result));
        return std::get<error>(job.result);
    }

    std::shared_ptr<minibatch::store::clock> time;
    temporary_directory dir;
    std::string path;
    std::shared_ptr<minibatch::store::store> db;
    log_id log;
    other_program other;
    write_job job{rig::segment(log), {}};
};

}  // namespace

BOOST_AUTO_TEST_CASE(waits_for_a_lock_until_the_deadline) {
    locked w;
    auto const began = steady_clock::now();
    w.append(milliseconds(30));
    BOOST_TEST((steady_clock::now() - began < std::chrono::seconds(5)));
    BOOST_TEST((w.failure().code() == errc::timeout));
    BOOST_TEST(std::string(w.failure().what()).find("another process holds the write lock") != std::string::npos);
    BOOST_TEST(w.db->state(w.log, soon()).end.offset == 0);  // reading goes on
    w.other.run("COMMIT");
    BOOST_TEST(rig::append_with(*w.db, w.log).first == 0);
}

BOOST_AUTO_TEST_CASE(measures_deadlines_by_the_given_clock) {
    struct clock_ahead final : minibatch::store::clock {
        time_ms system_now() override { return 1'000'000; }
        steady_time steady_now() override { return steady_clock::now() + std::chrono::hours(1); }
    };
    open_options options;
    options.time = std::make_shared<clock_ahead>();
    locked w(options);
    auto writing = std::async(std::launch::async, [&] { w.append(milliseconds(30)); });
    auto const ended = writing.wait_for(std::chrono::seconds(10));
    w.other.run("COMMIT");
    writing.get();
    BOOST_TEST((ended == std::future_status::ready));
    BOOST_TEST((w.failure().code() == errc::timeout));
}

BOOST_AUTO_TEST_CASE(limit_calls_ends_waiting_calls) {
    locked w;
    auto const began = steady_clock::now();
    auto writing = std::async(std::launch::async, [&] { w.append(std::chrono::minutes(1)); });
    BOOST_TEST((writing.wait_for(milliseconds(50)) == std::future_status::timeout));
    w.db->limit_calls(w.in(milliseconds(50)));
    writing.get();
    BOOST_TEST((w.failure().code() == errc::timeout));
    auto const next = code_of([&] { w.db->delete_stream("s", w.log.incarnation, w.in(std::chrono::minutes(1))); });
    BOOST_TEST((next == errc::timeout));
    BOOST_TEST((steady_clock::now() - began < std::chrono::seconds(5)));
    w.other.run("COMMIT");
}

BOOST_AUTO_TEST_SUITE_END()
