#include <array>

#include "power_cuts/failing_memory.hpp"
#include "power_cuts/power_cuts.hpp"

using namespace minibatch;
using namespace minibatch::test;
using outcome = operation::outcome;

BOOST_AUTO_TEST_SUITE(failing_call)

namespace {

/// Create, append, consume, commit, checkpoint, close, reopen.
void short_scenario(workload& program) {
    program.append(2);
    program.append_together(2);
    program.commit();
    program.checkpoint(SQLITE_CHECKPOINT_PASSIVE);
    program.append(1);
    program.trim();
    program.close();
    program.append(1);
    program.commit();
}

/// When the failure is over, the program goes on as if nothing had happened.
void goes_on(rehearsal& r, std::mt19937& random) {
    for (auto const how : {&workload::close, &workload::kill}) {
        auto const before = r.program.operations().size();
        r.program.append(1);
        BOOST_REQUIRE_MESSAGE(r.program.operations().size() == before + 1, r.program.obstacle());
        auto const& last = r.program.operations().back();
        BOOST_TEST((last.result == outcome::done), last.problem);
        (r.program.*how)();
    }
    findings found;
    r.cut(random() % 2 == 0 ? r.files.size() : random() % r.files.size(), promise::each, random, found);
    require_nothing(found);
}

void each_fails(std::string_view kind, std::initializer_list<int> codes, int at_least) {
    auto random = random_of_test();
    bool const changes = kind.find("lock") == kind.npos && kind != "open" && kind.find("map") == kind.npos;
    int failures = 0;
    for (int n = 1;; ++n) {
        auto const code = codes.begin()[random() % codes.size()];
        // A lock that is refused is not held, and a write that finds the disk full is never carried out.
        bool const performed = changes && code != SQLITE_FULL && random() % 4 == 0;
        BOOST_TEST_CONTEXT(kind << " " << n << " ends with " << sqlite3_errstr(code)
                                << (performed ? " though it is carried out" : "")) {
            nth_call const failing(kind, n, {code, performed}, 1);
            rehearsal r(failing);
            short_scenario(r.program);
            if (failing.count() < n) break;
            ++failures;
            goes_on(r, random);
        }
    }
    BOOST_TEST(failures >= at_least, kind << ": " << failures);
}

}  // namespace

BOOST_AUTO_TEST_CASE(writes) { each_fails("write", {SQLITE_IOERR_WRITE, SQLITE_FULL, SQLITE_NOMEM}, 30); }
BOOST_AUTO_TEST_CASE(syncs) { each_fails("sync", {SQLITE_IOERR_FSYNC, SQLITE_NOMEM}, 5); }
BOOST_AUTO_TEST_CASE(reads) { each_fails("read", {SQLITE_IOERR_READ, SQLITE_NOMEM}, 10); }
BOOST_AUTO_TEST_CASE(truncations) { each_fails("truncate", {SQLITE_IOERR_TRUNCATE}, 1); }
BOOST_AUTO_TEST_CASE(sizes) { each_fails("file size", {SQLITE_IOERR_FSTAT}, 1); }
BOOST_AUTO_TEST_CASE(openings) { each_fails("open", {SQLITE_CANTOPEN, SQLITE_IOERR, SQLITE_NOMEM}, 3); }
BOOST_AUTO_TEST_CASE(removals) { each_fails("delete", {SQLITE_IOERR_DELETE}, 1); }
BOOST_AUTO_TEST_CASE(looks) { each_fails("access", {SQLITE_IOERR_ACCESS}, 1); }
BOOST_AUTO_TEST_CASE(locks) { each_fails("lock", {SQLITE_BUSY, SQLITE_IOERR_LOCK, SQLITE_NOMEM}, 3); }
BOOST_AUTO_TEST_CASE(maps_of_the_index) {
    each_fails("map index", {SQLITE_IOERR_SHMMAP, SQLITE_IOERR_SHMSIZE, SQLITE_NOMEM}, 3);
}
BOOST_AUTO_TEST_CASE(locks_of_the_index) { each_fails("lock index", {SQLITE_BUSY, SQLITE_IOERR_SHMLOCK}, 30); }
BOOST_AUTO_TEST_CASE(syncs_of_the_directory) { each_fails("sync directory", {SQLITE_IOERR_DIR_FSYNC}, 3); }

BOOST_AUTO_TEST_CASE(allocations) {
    auto random = random_of_test();
    int failures = 0;
    for (int n = 1 + static_cast<int>(random() % 20);; n += 1 + static_cast<int>(random() % 80)) {
        int const times = random() % 4 == 0 ? 50 : 1;
        BOOST_TEST_CONTEXT("allocation " << n << " fails, and " << times - 1 << " behind it") {
            rehearsal r;
            failing_memory::arm(n, times);
            short_scenario(r.program);
            auto const reached = failing_memory::count() >= n;
            failing_memory::disarm();
            if (!reached) break;
            ++failures;
            goes_on(r, random);
        }
    }
    BOOST_TEST(failures > 10);
}

BOOST_AUTO_TEST_SUITE_END()
