#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <iostream>
#include <random>
#include <thread>

#include "contract/other_program.hpp"
#include "contract/stores.hpp"
#include "support/soak.hpp"

using namespace minibatch;
using namespace minibatch::test;
namespace fs = std::filesystem;
using std::chrono::steady_clock;

BOOST_AUTO_TEST_SUITE(sqlite_names)

/// The names of a database's files, which others may remove, move or replace while the files are open.
namespace {

/// A database with a message in it, opened by its name.
struct opened {
    opened() : opened("a.db") {}
    explicit opened(std::string const& name) : path(dir / name), db(open_store("sqlite:" + path)) {
        log = {db->open_stream("s", 1, {}, soon()).incarnation, 0};
        append();
    }
    void append() {
        rig::append_with(*db, log);
        ++stored;
    }
    error_code failure(std::string& text) {
        return code_of([&] { append(); }, &text);
    }
    /// Appends until that fails, which it must soon.
    error_code first_failure(std::string& text) {
        auto const limit = steady_clock::now() + std::chrono::seconds(2);
        error_code code;
        while (!code && steady_clock::now() < limit) code = failure(text);
        return code;
    }

    /// Nothing is acknowledged any more, nor read, and the reason is said.
    void is_lost(std::string const& about) {
        std::string text;
        auto code = first_failure(text);
        // The change came between the look before a commit and the one after it.
        BOOST_TEST((code == errc::outcome_unknown || code == errc::not_a_database), code.message() << ": " << text);
        BOOST_TEST(text.find("database '" + path + "', ") == 0, text);
        BOOST_TEST(text.find(about) != text.npos, text);
        for (auto const& call : std::vector<std::function<void()>>{
                 [&] { append(); },
                 [&] { db->read(log, 0, {}, soon()); },
                 [&] { db->list_streams(soon()); },
                 [&] { db->maintain(soon()); },
                 [&] { db->open_stream("t", 1, {}, soon()); },
             }) {
            code = code_of(call, &text);
            BOOST_TEST((code == errc::not_a_database), code.message() << ": " << text);
            BOOST_TEST(text.find(about) != text.npos, text);
        }
    }

    temporary_directory dir;
    std::string path;
    std::shared_ptr<minibatch::store::store> db;
    log_id log;
    std::int64_t stored = 0;
};

std::int64_t messages_in(std::string const& path) {
    return std::stoll(other_program(path).query("SELECT count(*) FROM minibatch_messages"));
}

void refused(std::string const& path, std::string const& about) {
    for (bool const read_only : {false, true}) {
        open_options options;
        options.read_only = read_only;
        std::string text;
        auto const code = code_of([&] { open_store("sqlite:" + path, options); }, &text);
        BOOST_TEST((code == errc::unsupported), code.message() << ": " << text);
        BOOST_TEST(text.find("database '" + path + "', open: ") == 0, text);
        BOOST_TEST(text.find(about) != text.npos, text);
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_removed_database) {
    opened w;
    fs::remove(w.path);
    w.is_lost("'" + w.path + "' was removed");
    BOOST_TEST(!fs::exists(w.path));
}

BOOST_AUTO_TEST_CASE(a_moved_database) {
    opened w;
    fs::rename(w.path, w.dir / "b.db");
    w.is_lost("'" + w.path + "' was moved to '" + (w.dir / "b.db") + "'");
    // It could be in use meanwhile.
    fs::rename(w.dir / "b.db", w.path);
    w.is_lost("was moved");
    w.db.reset();
    w.db = open_store("sqlite:" + w.path);
    w.append();
    BOOST_TEST(messages_in(w.path) >= 2);
}

BOOST_AUTO_TEST_CASE(a_moved_directory) {
    temporary_directory dir;
    fs::create_directory(dir / "d");
    auto const db = open_store("sqlite:" + (dir / "d/a.db"));
    fs::rename(dir / "d", dir / "e");
    std::string text;
    auto const code = code_of([&] { db->open_stream("s", 1, {}, soon()); }, &text);
    BOOST_TEST((code == errc::outcome_unknown || code == errc::not_a_database));
    BOOST_TEST(text.find("was moved to '" + (dir / "e/a.db") + "'") != text.npos, text);
}

BOOST_AUTO_TEST_CASE(a_replaced_database) {
    opened w;
    {
        opened other;
        other.db.reset();
        fs::copy_file(other.path, w.dir / "new.db");
    }
    fs::rename(w.dir / "new.db", w.path);
    w.is_lost("was replaced by another file");
    w.db.reset();
    fs::remove(w.path + "-wal");
    fs::remove(w.path + "-shm");
    BOOST_TEST(messages_in(w.path) == 1);
}

// Connections for reading are opened when they are needed.
BOOST_AUTO_TEST_CASE(another_database_is_never_read) {
    opened w;
    fs::remove(w.path);
    std::ofstream(w.path) << "";
    std::string text;
    auto const code = code_of([&] { w.db->list_streams(soon()); }, &text);
    BOOST_TEST((code == errc::not_a_database), code.message() << ": " << text);
    BOOST_TEST(text.find("replaced") != text.npos, text);
}

BOOST_AUTO_TEST_CASE(a_removed_log) {
    opened w;
    for (int i = 0; i < 20; ++i) w.append();
    fs::remove(w.path + "-wal");
    std::string text;
    auto const code = w.first_failure(text);
    BOOST_TEST((code == errc::outcome_unknown || code == errc::not_a_database), text);
    BOOST_TEST(text.find("'" + w.path + "-wal' was removed") != text.npos, text);
    w.is_lost("-wal' was removed");
    // What had been acknowledged is moved to where others find it, even if this process is killed now.
    fs::copy_file(w.path, w.dir / "copy.db");
    BOOST_TEST(messages_in(w.dir / "copy.db") >= w.stored);
}

BOOST_AUTO_TEST_CASE(a_removed_index_of_the_log) {
    opened w;
    fs::remove(w.path + "-shm");
    w.is_lost("-shm' was removed");
    w.db.reset();
    BOOST_TEST(messages_in(w.path) >= w.stored);
}

BOOST_AUTO_TEST_CASE(a_replaced_log) {
    opened w;
    fs::rename(w.path + "-wal", w.dir / "elsewhere");
    fs::copy_file(w.dir / "elsewhere", w.path + "-wal");
    w.is_lost("-wal' was replaced");
}

// Others take turns and wake through it; what is stored is not at risk.
BOOST_AUTO_TEST_CASE(a_removed_side_file_is_made_again) {
    opened w;
    fs::remove(w.path + "-minibatch");
    w.append();
    BOOST_TEST(!fs::exists(w.path + "-minibatch"));
    w.db->maintain(soon());
    BOOST_TEST(fs::exists(w.path + "-minibatch"));
    w.append();
    auto const other = open_store("sqlite:" + w.path);
    std::atomic<bool> told = false;
    auto const watching = w.db->watch([&] { told = true; });
    fs::remove(w.path + "-minibatch");
    auto const limit = steady_clock::now() + std::chrono::seconds(20);
    while (!fs::exists(w.path + "-minibatch") && steady_clock::now() < limit) std::this_thread::yield();
    other->maintain(soon());
    told = false;
    rig::append_with(*other, w.log);
    while (!told && steady_clock::now() < limit) std::this_thread::yield();
    BOOST_TEST(told);
}

BOOST_AUTO_TEST_CASE(a_second_name_is_refused) {
    opened w;
    w.db.reset();
    fs::create_hard_link(w.path, w.dir / "b.db");
    refused(w.path, "2 names (hard links)");
    refused(w.dir / "b.db", "2 names (hard links)");
    BOOST_TEST(!fs::exists(w.dir / "b.db-minibatch"));
    BOOST_TEST(!fs::exists(w.dir / "b.db-wal"));
    fs::remove(w.dir / "b.db");
    w.db = open_store("sqlite:" + w.path);
    w.append();
}

BOOST_AUTO_TEST_CASE(names_through_symbolic_links_are_one) {
    temporary_directory dir;
    fs::create_directory(dir / "data");
    fs::create_symlink("data/real.db", dir / "link.db");  // it leads nowhere yet
    fs::create_directory_symlink("data", dir / "also");
    auto const first = open_store("sqlite:" + (dir / "link.db"));
    log_id const log{first->open_stream("s", 1, {}, soon()).incarnation, 0};
    auto const second = open_store("sqlite:" + (dir / "also/real.db"));
    rig::append_with(*first, log);
    BOOST_TEST(rig::append_with(*second, log).first == 1);
    for (auto const* const suffix : {"", "-wal", "-shm", "-minibatch"})
        BOOST_TEST(fs::exists(dir / "data/real.db" + suffix), suffix);
    BOOST_TEST(std::distance(fs::directory_iterator(dir.path()), {}) == 3);
}

BOOST_AUTO_TEST_CASE(a_link_that_leads_elsewhere) {
    opened w("real.db");
    fs::create_symlink("real.db", w.dir / "link.db");
    auto const by_link = open_store("sqlite:" + (w.dir / "link.db"));
    rig::append_with(*by_link, w.log);
    fs::create_symlink("other.db", w.dir / "new");
    fs::rename(w.dir / "new", w.dir / "link.db");
    std::string text;
    auto const code = code_of([&] { rig::append_with(*by_link, w.log); }, &text);
    BOOST_TEST((code == errc::outcome_unknown || code == errc::not_a_database));
    BOOST_TEST(text.find("'" + (w.dir / "link.db") + "' was removed or moved") != text.npos, text);
    w.append();  // its own name has not changed
}

// A producer at full rate, while the file loses its name at some moment: what is appended after that is never
// acknowledged, and all that was acknowledged before is in the file, wherever it is now.
BOOST_AUTO_TEST_CASE(nothing_is_acknowledged_after_the_change) {
    repeat_with_seeds([](std::uint64_t seed) {
        std::mt19937_64 random(seed);
        std::int64_t acknowledged = 0;
        for (int round = 0; round < 9; ++round) {
            opened w;
            fs::create_hard_link(w.path, w.dir / "kept");
            std::ofstream(w.dir / "other") << "";
            std::atomic<bool> changed = false;
            std::atomic<bool> began = false;
            std::int64_t late = 0;
            std::string text;
            error_code code;
            std::thread producer([&] {
                auto const limit = steady_clock::now() + std::chrono::seconds(20);
                while (!code && steady_clock::now() < limit) {
                    bool const after = changed;
                    code = w.failure(text);
                    if (!code && after) ++late;
                    began = true;
                }
            });
            while (!began) std::this_thread::yield();
            std::this_thread::sleep_for(std::chrono::microseconds(random() % 20'000));
            if (round % 3 == 0) fs::remove(w.path);
            if (round % 3 == 1) fs::rename(w.path, w.dir / "moved");
            if (round % 3 == 2) fs::rename(w.dir / "other", w.path);
            changed = true;
            producer.join();
            BOOST_TEST(late == 0, "acknowledged after the change: " << late);
            BOOST_TEST((code == errc::outcome_unknown || code == errc::not_a_database), code.message() << ": " << text);
            w.db.reset();
            fs::rename(w.path + "-wal", w.dir / "kept-wal");
            BOOST_TEST(messages_in(w.dir / "kept") >= w.stored);
            acknowledged += w.stored;
        }
        std::cout << acknowledged << " appends acknowledged" << std::endl;
    });
}

BOOST_AUTO_TEST_SUITE_END()
