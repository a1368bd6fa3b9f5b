#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <future>

#include "contract/other_program.hpp"
#include "contract/stores.hpp"
#include "store/sqlite/schema.hpp"

using namespace minibatch;
using namespace minibatch::test;

BOOST_AUTO_TEST_SUITE(sqlite_files)

namespace {

/// Permissions bind everybody but root.
class without_privileges {
  public:
    without_privileges() {
        if (::geteuid() == 0) BOOST_REQUIRE(::seteuid(65534) == 0);
    }
    ~without_privileges() {
        if (::getuid() == 0) BOOST_CHECK(::seteuid(0) == 0);
    }
};

void refused(std::string const& path, errc code, std::string const& about) {
    std::string text;
    auto const got = code_of([&] { open_store("sqlite:" + path); }, &text);
    BOOST_TEST((got == code), path << ": " << got.message() << ": " << text);
    BOOST_TEST(text.find(path) != text.npos, text);
    BOOST_TEST(text.find(about) != text.npos, text);
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_is_no_database_of_ours) {
    temporary_directory dir;
    refused(dir / "missing/a.db", errc::unavailable, "does not exist");
    refused(dir.path().string(), errc::not_a_database, "directory");
    std::ofstream(dir / "text") << std::string(2000, 'x');
    refused(dir / "text", errc::not_a_database, "not a database");
    BOOST_TEST(!std::filesystem::exists(dir / "text-minibatch"));
    other_program(dir / "foreign").run("CREATE TABLE t (a)");
    refused(dir / "foreign", errc::not_a_database, "another program");
    std::ofstream(dir / "empty") << "";
    open_store("sqlite:" + (dir / "empty"))->open_stream("s", 1, {}, soon());
    other_program(dir / "empty").run("PRAGMA user_version = 2");
    refused(dir / "empty", errc::schema_too_new, "version 2");
}

// Several processes may open a new file at once.
BOOST_AUTO_TEST_CASE(made_by_another_while_it_is_looked_at) {
    temporary_directory dir;
    minibatch::store::sqlite::connection looking(dir / "new.db");
    minibatch::store::sqlite::connection other(dir / "new.db");
    looking.start("open", soon());
    auto const make_now = [](unsigned, void* maker, void* begun, void*) {
        if (sqlite3_sql(static_cast<sqlite3_stmt*>(begun)) != std::string("PRAGMA user_version")) return 0;
        try {
            minibatch::store::sqlite::create_schema(*static_cast<minibatch::store::sqlite::connection*>(maker));
        } catch (error const&) {  // it has to wait
        }
        return 0;
    };
    sqlite3_trace_v2(looking.handle(), SQLITE_TRACE_STMT, make_now, &other);
    BOOST_TEST(minibatch::store::sqlite::check_schema(looking));
    sqlite3_trace_v2(looking.handle(), 0, nullptr, nullptr);
    other.start("open", soon());
    minibatch::store::sqlite::create_schema(other);
    BOOST_TEST(!minibatch::store::sqlite::check_schema(looking));
}

BOOST_AUTO_TEST_CASE(read_only) {
    temporary_directory dir;
    auto const path = dir / "a.db";
    open_store("sqlite:" + path)->open_stream("s", 1, {}, soon());
    ::chmod(dir.path().c_str(), 0755);
    ::chmod(path.c_str(), 0444);
    {
        without_privileges const plain;
        refused(path, errc::read_only, "written");
        if (::getuid() == 0) refused(dir / "new.db", errc::read_only, "directory");
    }
    ::chmod(path.c_str(), 0666);
    without_privileges const plain;
    if (::getuid() == 0) refused(path, errc::read_only, "the directory cannot be written to");
}

BOOST_AUTO_TEST_CASE(damage_is_reported) {
    temporary_directory dir;
    auto const path = dir / "a.db";
    log_id log;
    {
        auto const db = open_store("sqlite:" + path);
        log = {db->open_stream("s", 1, {}, soon()).incarnation, 0};
        for (int i = 0; i < 50; ++i) rig::append_with(*db, log, 500);
    }
    {
        std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
        auto const size = std::filesystem::file_size(path);
        for (std::uintmax_t at = 4096; at + 4096 < size; at += 4096) {
            file.seekp(static_cast<std::streamoff>(at));
            file << std::string(2048, '\xee');
        }
    }
    std::string text;
    auto const code = code_of([&] { open_store("sqlite:" + path)->read(log, 0, {}, soon()); }, &text);
    BOOST_TEST((code == errc::corrupt), text);
    BOOST_TEST(text.find(path) != text.npos);
}

BOOST_AUTO_TEST_CASE(a_full_disk_is_survived) {
    temporary_directory dir;
    auto const path = dir / "a.db";
    auto const db = open_store("sqlite:" + path);
    log_id const log{db->open_stream("s", 1, {}, soon()).incarnation, 0};
    rig::append_with(*db, log, 10);
    auto const before = ::signal(SIGXFSZ, SIG_IGN);
    rlimit old{};
    ::getrlimit(RLIMIT_FSIZE, &old);
    rlimit tiny = old;
    tiny.rlim_cur = std::filesystem::file_size(path + "-wal") + 60'000;
    ::setrlimit(RLIMIT_FSIZE, &tiny);
    std::string text;
    auto const code = code_of([&] { rig::append_with(*db, log, 50'000); }, &text);
    // One that fits goes through beside one that does not.
    std::vector<write_job> jobs;
    jobs.push_back({rig::segment(log, 50'000), {}});
    jobs.push_back({rig::segment(log, 1), {}});
    db->write(jobs, soon());
    ::setrlimit(RLIMIT_FSIZE, &old);
    ::signal(SIGXFSZ, before);
    BOOST_TEST((code == errc::storage_full), text);
    BOOST_TEST(text.find(path) != text.npos, text);
    BOOST_TEST(std::holds_alternative<error>(jobs[0].result));
    BOOST_REQUIRE(std::holds_alternative<append_result>(jobs[1].result));
    BOOST_TEST(std::get<append_result>(jobs[1].result).first == 10);
    BOOST_TEST(rig::append_with(*db, log, 50'000).first == 11);
}

// Jobs that were carried out stay so when memory runs out for one of those after them.
BOOST_AUTO_TEST_CASE(what_was_done_stays_done) {
    struct failing_clock final : clock {
        time_ms system_now() override {
            if (++asked == fails_at) throw std::bad_alloc();
            return 1'000'000;
        }
        steady_time steady_now() override { return std::chrono::steady_clock::now(); }
        int asked = 0;
        int fails_at = 0;
    };
    // Each attempt asks for the time once: the first is all jobs together, then come the jobs alone.
    struct failure {
        int attempt;
        bool together;  // whether the first attempt fails for another reason
        std::vector<bool> done;
    };
    for (auto const& [attempt, together, done] :
         {failure{1, false, {true, true, true}}, failure{2, true, {false, false, true}},
          failure{3, true, {true, false, true}}, failure{4, true, {true, false, false}}}) {
        temporary_directory dir;
        auto const time = std::make_shared<failing_clock>();
        open_options options;
        options.time = time;
        auto const db = open_store("sqlite:" + (dir / "a.db"), options);
        log_id const log{db->open_stream("s", 1, {}, soon()).incarnation, 0};
        if (together) {
            other_program(dir / "a.db")
                .run(
                    "CREATE TRIGGER t BEFORE INSERT ON minibatch_segments WHEN new.count = 7 BEGIN "
                    "SELECT RAISE(ABORT, 'not seven'); END");
        }
        std::vector<write_job> jobs;
        for (int count : {1, 7, 2}) jobs.push_back({rig::segment(log, count), {}});
        time->asked = 0;
        time->fails_at = attempt;
        db->write(jobs, soon());
        time->fails_at = 0;
        std::int64_t stored = 0;
        for (std::size_t i = 0; i < jobs.size(); ++i) {
            auto const* const result = std::get_if<append_result>(&jobs[i].result);
            BOOST_TEST((result != nullptr) == done[i], "attempt " << attempt << ", job " << i);
            if (result) BOOST_TEST(result->number == stored++);
        }
        BOOST_TEST(db->state(log, soon()).end.number == stored);
    }
}

BOOST_AUTO_TEST_CASE(people_can_read_the_messages) {
    temporary_directory dir;
    rig r("sqlite");
    auto const log = r.make("quakes");
    r.append(log, 2);
    r.time->time = 2'000'000;
    r.seal(log, 1'500'000);
    r.append(log);
    other_program const shell(r.directory / "test.db");
    BOOST_TEST(shell.query("SELECT * FROM minibatch_messages") ==
               "quakes|0|0|1000000|{\"i\":0}|\nquakes|0|1|1000000|{\"i\":1}|\nquakes|0|2|2000000|{\"i\":0}|\n");
    BOOST_TEST(shell.query("PRAGMA integrity_check") == "ok|\n");
    r.db->clear_stream(log.incarnation, soon());
    BOOST_TEST(shell.query("SELECT * FROM minibatch_messages") == "");
    r.db->delete_stream("quakes", log.incarnation, soon());
    BOOST_TEST(shell.query("SELECT count(*) FROM minibatch_segments") == "0|\n");
    BOOST_TEST(shell.query("SELECT count(*) FROM minibatch_partitions") == "0|\n");
}

BOOST_AUTO_TEST_CASE(the_write_ahead_log_is_used_over_and_over) {
    rig r("sqlite");
    auto const log = r.make();
    auto const wal = r.directory / "test.db-wal";
    log::segment_text text;
    text.add("{\"x\":\"" + std::string(7 << 20, 'x') + "\"}");
    auto const big = std::make_shared<std::string const>(text.finish());
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 5; ++i) r.write<append_result>(append_request{log, "", 1, big});
        BOOST_TEST(r.db->maintenance_due());
        r.db->maintain(soon());
        BOOST_TEST(!r.db->maintenance_due());
    }
    BOOST_TEST(std::filesystem::file_size(wal) < 40U << 20);

    // When it was not looked after for long it becomes long, but does not stay so.
    for (int i = 0; i < 10; ++i) r.write<append_result>(append_request{log, "", 1, big});
    BOOST_TEST(std::filesystem::file_size(wal) > 64U << 20);
    r.db->maintain(soon());
    r.append(log);
    BOOST_TEST(std::filesystem::file_size(wal) <= 64U << 20);
    BOOST_TEST(r.state(log).end.offset == 26);
}

BOOST_AUTO_TEST_SUITE_END()
