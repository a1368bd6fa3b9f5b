#include "contract/other_program.hpp"
#include "contract/stores.hpp"

using namespace minibatch;
using namespace minibatch::test;

BOOST_AUTO_TEST_SUITE(sqlite_leases)

namespace {

struct lease_file : rig {
    lease_file() : rig("sqlite"), log(make()) { enroll(log); }
    group_state stored() const { return db->list_groups(log.incarnation, soon()).at(0); }
    void write_columns(std::string const& values) {
        other_program(directory / "test.db").run("UPDATE minibatch_groups SET " + values);
    }
    log_id log;
    group_id group{log, "g"};
};

}  // namespace

BOOST_AUTO_TEST_CASE(lease_of_an_earlier_version) {
    lease_file r;
    r.write_columns("owner = 'host:1', acquisition = '0123abcd', epoch = 3, expires = 1010000");
    auto const held = r.stored().held;
    BOOST_TEST(held.acquisition == "0123abcd");
    BOOST_TEST(held.length.count() == 0);
    BOOST_TEST(held.renewals == 0);
    BOOST_TEST(!r.acquire(r.group, "b").granted);
    // Its renewals show in the time of expiry alone.
    r.write_columns("expires = 1013333");
    BOOST_TEST(!r.stored().held.unchanged_since(held));
    BOOST_TEST(!r.acquire(r.group, "b", held).granted);
    auto const taken = r.acquire(r.group, "b", r.stored().held);
    BOOST_TEST(taken.granted);
    BOOST_TEST(taken.held.epoch == 4);
    BOOST_TEST(taken.held.length.count() == 10'000);
}

BOOST_AUTO_TEST_CASE(earlier_versions_can_go_on_with_the_file) {
    lease_file r;
    r.acquire(r.group, "a");
    other_program file(r.directory / "test.db");
    // What they execute to renew and to store: no column is new.
    file.run("UPDATE minibatch_groups SET expires = 1020000 WHERE epoch = 1");
    file.run(
        "INSERT OR REPLACE INTO minibatch_groups SELECT incarnation, partition, name, low, low_number, start_time, "
        "windows_end, takeovers, lost, keep, details, owner, acquisition, epoch, expires FROM minibatch_groups");
    auto const held = r.stored().held;
    BOOST_TEST(held.acquisition == "a");
    BOOST_TEST(held.length.count() == 10'000);
    BOOST_TEST(held.expires == 1'020'000);
}

BOOST_AUTO_TEST_CASE(damaged_lease) {
    for (auto const* const column : {"a b", "a 10000", "a 10000 ", "a 10000 1x", "a -5 1", "a 0 1", "a 10000 -1",
                                     "a 10000 1 1", "a 99999999999999999999 1"}) {
        BOOST_TEST_CONTEXT(column) {
            lease_file r;
            r.write_columns("owner = 'host:1', acquisition = '" + std::string(column) + "'");
            BOOST_TEST((code_of([&] { r.stored(); }) == errc::corrupt));
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
