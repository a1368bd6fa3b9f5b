#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <set>

#include "contract/other_program.hpp"
#include "contract/stores.hpp"

using namespace minibatch;
using namespace minibatch::test;
namespace fs = std::filesystem;

BOOST_AUTO_TEST_SUITE(sqlite_reading)

/// Databases in files that are only read.
namespace {

std::shared_ptr<minibatch::store::store> reader_of(std::string const& url) {
    open_options options;
    options.read_only = true;
    return open_store(url, options);
}

std::set<std::string> files_in(temporary_directory const& dir) {
    std::set<std::string> out;
    for (auto const& entry : fs::directory_iterator(dir.path())) out.insert(entry.path().filename());
    return out;
}

std::int64_t count(minibatch::store::store& db, log_id log) {
    std::int64_t out = 0;
    for (auto const& record : db.read(log, 0, {}, soon()).records) out += record->end() - record->first();
    return out;
}

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

/// A file of a database with five messages that nobody has open.
struct closed_database {
    closed_database() {
        auto const db = open_store("sqlite:" + path);
        log = {db->open_stream("s", 1, {}, soon()).incarnation, 0};
        rig::append_with(*db, log, 5);
        ::chmod(dir.path().c_str(), 0755);
    }
    temporary_directory dir;
    std::string path = dir / "a.db";
    log_id log;
};

}  // namespace

BOOST_AUTO_TEST_CASE(no_file_is_made) {
    closed_database w;
    fs::remove(w.path + "-minibatch");
    {
        auto const reading = reader_of("sqlite:" + w.path);
        BOOST_TEST(count(*reading, w.log) == 5);
        bool called = false;
        auto const watching = reading->watch([&called] { called = true; });
        BOOST_TEST((files_in(w.dir) == std::set<std::string>{"a.db"}));
    }
    BOOST_TEST((files_in(w.dir) == std::set<std::string>{"a.db"}));
    // Names that mean something in a URI.
    fs::rename(w.path, w.dir / "50%?#.db");
    BOOST_TEST(count(*reader_of("sqlite:" + (w.dir / "50%25%3F#.db")), w.log) == 5);
    BOOST_TEST((files_in(w.dir) == std::set<std::string>{"50%?#.db"}));
}

BOOST_AUTO_TEST_CASE(a_file_and_a_directory_that_may_not_be_written) {
    closed_database w;
    ::chmod(w.path.c_str(), 0444);
    ::chmod(w.dir.path().c_str(), 0555);
    {
        without_privileges const plain;
        auto const reading = reader_of("sqlite:" + w.path);
        BOOST_TEST(count(*reading, w.log) == 5);
    }
    ::chmod(w.dir.path().c_str(), 0755);
}

BOOST_AUTO_TEST_CASE(while_somebody_writes) {
    closed_database w;
    auto const reading = reader_of("sqlite:" + w.path);
    BOOST_TEST(count(*reading, w.log) == 5);
    auto writing = open_store("sqlite:" + w.path);
    rig::append_with(*writing, w.log, 2);
    BOOST_TEST(count(*reading, w.log) == 7);
    BOOST_TEST(count(*reader_of("sqlite:" + w.path), w.log) == 7);
    writing.reset();
    BOOST_TEST(count(*reading, w.log) == 7);
    writing = open_store("sqlite:" + w.path);
    rig::append_with(*writing, w.log, 1);
    writing->maintain(soon());
    BOOST_TEST(count(*reading, w.log) == 8);
    writing->delete_stream("s", w.log.incarnation, soon());
    writing.reset();
    auto const code = code_of([&] { count(*reading, w.log); });
    BOOST_TEST((code == errc::stream_deleted));
}

// The writer was killed, or its files were copied: what is in the log counts.
BOOST_AUTO_TEST_CASE(a_log_without_an_index) {
    closed_database w;
    {
        auto const writing = open_store("sqlite:" + w.path);
        rig::append_with(*writing, w.log, 2);
        fs::copy_file(w.path, w.dir / "b.db");
        fs::copy_file(w.path + "-wal", w.dir / "b.db-wal");
    }
    auto const path = w.dir / "b.db";
    for (auto const& file : {path, path + "-wal"}) ::chmod(file.c_str(), 0444);
    ::chmod(w.dir.path().c_str(), 0555);
    {
        without_privileges const plain;
        std::string text;
        auto const code = code_of([&] { reader_of("sqlite:" + path); }, &text);
        BOOST_TEST((code == errc::read_only), code.message() << ": " << text);
        BOOST_TEST(text.find("database '" + path + "', open: '" + path + "-wal' holds changes") == 0, text);
        BOOST_TEST(text.find("'" + path + "-shm', which is needed") != text.npos, text);
    }
    ::chmod(w.dir.path().c_str(), 0755);
    BOOST_TEST(count(*reader_of("sqlite:" + path), w.log) == 7);
    BOOST_TEST(!fs::exists(path + "-minibatch"));
}

BOOST_AUTO_TEST_CASE(what_is_not_there) {
    temporary_directory dir;
    std::string text;
    auto code = code_of([&] { reader_of("sqlite:" + (dir / "a.db")); }, &text);
    BOOST_TEST((code == errc::unavailable), text);
    BOOST_TEST(text.find("does not exist") != text.npos, text);
    BOOST_TEST(files_in(dir).empty());
    std::ofstream(dir / "text") << std::string(2000, 'x');
    code = code_of([&] { reader_of("sqlite:" + (dir / "text")); }, &text);
    BOOST_TEST((code == errc::not_a_database), text);
    other_program(dir / "foreign").run("CREATE TABLE t (a)");
    code = code_of([&] { reader_of("sqlite:" + (dir / "foreign")); }, &text);
    BOOST_TEST((code == errc::not_a_database), text);
}

BOOST_AUTO_TEST_CASE(an_empty_file_stays_empty) {
    temporary_directory dir;
    std::ofstream(dir / "a.db") << "";
    auto const reading = reader_of("sqlite:" + (dir / "a.db"));
    BOOST_TEST(reading->list_streams(soon()).empty());
    BOOST_TEST(!reading->find_stream("s", soon()).has_value());
    BOOST_TEST(fs::file_size(dir / "a.db") == 0U);
    open_store("sqlite:" + (dir / "a.db"))->open_stream("s", 1, {}, soon());
    BOOST_TEST(reading->list_streams(soon()).size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_file_that_was_replaced) {
    closed_database w;
    auto const reading = reader_of("sqlite:" + w.path);
    fs::copy_file(w.path, w.dir / "new");
    fs::rename(w.dir / "new", w.path);
    std::string text;
    auto const code = code_of(
        [&] {
            auto const limit = std::chrono::steady_clock::now() + std::chrono::seconds(2);
            while (std::chrono::steady_clock::now() < limit) count(*reading, w.log);
        },
        &text);
    BOOST_TEST((code == errc::not_a_database), text);
    BOOST_TEST(text.find("replaced") != text.npos, text);
}
BOOST_AUTO_TEST_SUITE_END()
