#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <latch>
#include <thread>

#include "contract/stores.hpp"
#include "store/sqlite/side_file.hpp"
#include "support/child_process.hpp"

using namespace minibatch;
using namespace minibatch::test;

BOOST_AUTO_TEST_SUITE(sqlite_processes)

BOOST_DATA_TEST_CASE(refuses_handles_inherited_by_fork, every_store(), kind) {
    rig r(kind);
    auto const log = r.make();
    r.append(log);
    BOOST_TEST(in_child([&] {
                   bool good = code_of([&] { r.append(log); }) == errc::forked;
                   good = good && code_of([&] { r.read(log); }) == errc::forked;
                   good = good && code_of([&] { r.db->watch([] {}); }) == errc::forked;
                   good = good && code_of([&] { r.make("t"); }) == errc::forked;
                   r.db.reset();  // must leave the parent's database alone
                   return good ? 0 : 1;
               }) == 0);
    BOOST_TEST(r.append(log).first == 1);
}

BOOST_AUTO_TEST_CASE(another_process_notifies_this_one) {
    rig r("sqlite");
    auto const log = r.make();
    std::latch woken(1);
    std::atomic<bool> told = false;
    auto const watched = r.db->watch([&] {
        if (!told.exchange(true)) woken.count_down();
    });
    BOOST_TEST(in_child([&] {
                   auto const own = r.another();
                   return static_cast<int>(rig::append_with(*own, log).first);
               }) == 0);
    woken.wait();
    BOOST_TEST(r.append(log).first == 1);
}

// A process may die between its COMMIT and the touch.
BOOST_AUTO_TEST_CASE(finds_changes_without_a_touch) {
    rig r("sqlite");
    r.make();
    std::latch woken(1);
    std::atomic<bool> told = false;
    auto const watched = r.db->watch([&] {
        if (!told.exchange(true)) woken.count_down();
    });
    sqlite3* other = nullptr;
    BOOST_REQUIRE(sqlite3_open((r.directory / "test.db").c_str(), &other) == SQLITE_OK);
    BOOST_REQUIRE(sqlite3_exec(other, "CREATE TABLE x (a)", nullptr, nullptr, nullptr) == SQLITE_OK);
    woken.wait();
    sqlite3_close(other);
}

BOOST_AUTO_TEST_CASE(processes_write_concurrently) {
    rig r("sqlite");
    auto const log = r.make();
    constexpr int processes = 3;
    constexpr int each = 40;
    std::vector<pid_t> children;
    for (int i = 0; i < processes; ++i) {
        auto const child = ::fork();
        if (child == 0) {
            int failed = 0;
            try {
                auto const own = r.another();
                for (int k = 0; k < each; ++k) rig::append_with(*own, log, 3);
            } catch (...) {
                failed = 1;
            }
            ::_exit(failed);
        }
        children.push_back(child);
    }
    for (auto const child : children) {
        int status = 0;
        ::waitpid(child, &status, 0);
        BOOST_TEST(status == 0);
    }
    std::int64_t next = 0;
    for (auto const& record : r.read(log).records) {
        BOOST_TEST_REQUIRE(record->first() == next);
        next = record->end();
    }
    BOOST_TEST(next == 3 * processes * each);
}

BOOST_AUTO_TEST_CASE(the_turn_times_out_and_ends_with_its_process) {
    rig r("sqlite");
    auto const log = r.make();
    minibatch::store::sqlite::side_file other(r.directory / "test.db");
    BOOST_REQUIRE(other.lock(soon()));
    write_job job{rig::segment(log), {}};
    r.db->write({&job, 1}, std::chrono::steady_clock::now() + milliseconds(20));
    BOOST_TEST((std::get<error>(job.result).code() == errc::timeout));
    other.unlock();
    BOOST_TEST(r.append(log).first == 0);
    BOOST_TEST(in_child([&] {
                   minibatch::store::sqlite::side_file third(r.directory / "test.db");
                   return third.lock(soon()) ? 0 : 1;
               }) == 0);
    BOOST_TEST(r.append(log).first == 1);
}

// Nothing can be done about it, but the error says so.
BOOST_AUTO_TEST_CASE(reports_a_writer_stopped_inside_its_transaction) {
    struct stopping_clock final : clock {
        time_ms system_now() override {
            if (std::exchange(armed, false)) ::raise(SIGSTOP);
            return 1'000'000;
        }
        steady_time steady_now() override { return std::chrono::steady_clock::now(); }
        bool armed = false;
    };
    rig r("sqlite");
    auto const log = r.make();
    r.append(log);
    auto const child = ::fork();
    if (child == 0) {
        int failed = 0;
        try {
            auto const time = std::make_shared<stopping_clock>();
            open_options options;
            options.time = time;
            auto const own = open_store(r.url, options);
            time->armed = true;
            rig::append_with(*own, log);
        } catch (...) {
            failed = 1;
        }
        ::_exit(failed);
    }
    int status = 0;
    BOOST_REQUIRE(::waitpid(child, &status, WUNTRACED) == child);
    BOOST_REQUIRE(WIFSTOPPED(status));
    std::string text;
    auto const briefly = [] { return std::chrono::steady_clock::now() + milliseconds(30); };
    write_job job{rig::segment(log), {}};
    r.db->write({&job, 1}, briefly());
    BOOST_TEST((std::get<error>(job.result).code() == errc::timeout));
    text = std::get<error>(job.result).diagnostics();
    BOOST_TEST(text.find("another process holds the write lock") != text.npos, text);
    BOOST_TEST((code_of([&] { r.db->open_stream("t", 1, {}, briefly()); }, &text) == errc::timeout));
    BOOST_TEST(text.find("another process holds the write lock") != text.npos, text);
    BOOST_TEST(r.state(log).end.offset == 1);  // reading goes on
    BOOST_REQUIRE(::kill(child, SIGCONT) == 0);
    BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
    BOOST_TEST(status == 0);
    BOOST_TEST(r.append(log).first == 2);
}

BOOST_AUTO_TEST_CASE(distinguishes_own_touches_from_those_of_others) {
    temporary_directory dir;
    std::ofstream(dir / "a.db") << "";
    minibatch::store::sqlite::side_file a(dir / "a.db");
    minibatch::store::sqlite::side_file b(dir / "a.db");
    a.touch();
    BOOST_TEST(!a.touched_by_others());
    BOOST_TEST(b.touched_by_others());
    BOOST_TEST(!b.touched_by_others());
    b.touch();
    a.touch();  // its own does not hide the one before
    BOOST_TEST(a.touched_by_others());
    BOOST_TEST(!a.touched_by_others());
}

BOOST_AUTO_TEST_CASE(every_change_touches_the_side_file) {
    rig r("sqlite");
    minibatch::store::sqlite::side_file side(r.directory / "test.db");
    auto const log = r.make();
    BOOST_TEST(side.touched_by_others());
    r.append(log);
    BOOST_TEST(side.touched_by_others());
    r.seal(log, 1);  // there is nothing to do
    BOOST_TEST(!side.touched_by_others());
}

BOOST_AUTO_TEST_SUITE_END()
