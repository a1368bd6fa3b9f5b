// Leases, where clocks or random ids would be a poor guard.
#include "mongo/support.hpp"
#include "support/mongo_command.hpp"

using namespace minibatch;
using namespace minibatch::test;

BOOST_AUTO_TEST_SUITE(mongo_leases)

namespace {

constexpr milliseconds calm{10'000};

struct database {
    std::string url = fresh_database_url();
    store_ptr here = opened(url);
    store_ptr there = opened(url);
    group_id group;

    database() {
        log_id const log{here->open_stream("s", 1, {}, within(calm)).incarnation, 0};
        for (int i = 0; i < 4; ++i) append(*here, log, "{}", calm);
        group = here->register_group({log, "g"}, start_position::earliest, false, within(calm)).id;
    }
    acquire_result acquire(store_ptr const& by, std::string const& id, std::optional<lease> unchanged = {}) const {
        return write<acquire_result>(*by, acquire_request{group, "owner of " + id, id, milliseconds(10'000), unchanged},
                                     within(calm));
    }
    outcome renew(store_ptr const& by, std::int64_t epoch) const {
        return outcome_of([&] {
            write<minibatch::store::done>(*by, renew_request{group, epoch, milliseconds(10'000)}, within(calm));
        });
    }
    outcome commit(store_ptr const& by, acquire_result const& held, std::int64_t low) const {
        auto state = held.state;
        state.low = low;
        state.low_number = low;
        return outcome_of([&] {
            write<minibatch::store::done>(*by, commit_request{group, held.held.epoch, state, {}}, within(calm));
        });
    }
};

}  // namespace

/// The clock of the server was ahead when the lease was renewed for the last time, and is right again.
BOOST_AUTO_TEST_CASE(ends_after_its_length_whatever_the_expiry_says) {
    database const at;
    auto const first = at.acquire(at.here, "one");
    BOOST_REQUIRE(first.granted);
    BOOST_TEST(first.held.length.count() == 10'000);
    mongo_command(at.url, R"({"update": "minibatch_groups", "updates": [{"q": {}, "u": [{"$set": {"expires":
                              {"$add": ["$expires", 3600000]}}}]}]})");
    auto const refused = at.acquire(at.there, "two");
    BOOST_TEST(!refused.granted);
    // A renewal shows, although the expiry need not have changed.
    BOOST_TEST(!at.renew(at.here, first.held.epoch).code);
    BOOST_TEST(!at.acquire(at.there, "two", refused.held).granted);
    auto const renewed = at.acquire(at.there, "two").held;
    BOOST_TEST(renewed.renewals == refused.held.renewals + 1);
    // It was seen like this for its whole length.
    auto const second = at.acquire(at.there, "two", renewed);
    BOOST_TEST(second.granted);
    BOOST_TEST(second.held.epoch == first.held.epoch + 1);
    BOOST_TEST((at.renew(at.here, first.held.epoch).code == errc::fenced));
}

/// Two processes that were resumed from one snapshot of a machine have the same acquisition id.
BOOST_AUTO_TEST_CASE(two_processes_with_one_acquisition_id) {
    database const at;
    auto const one = at.acquire(at.here, "same");
    auto const other = at.acquire(at.there, "same");
    BOOST_REQUIRE(one.granted);
    BOOST_REQUIRE(other.granted);
    BOOST_TEST(one.held.epoch == other.held.epoch);
    BOOST_TEST(!at.renew(at.there, other.held.epoch).code);
    auto const found_out = at.renew(at.here, one.held.epoch);
    BOOST_TEST((found_out.code == errc::fenced), found_out.text);
    BOOST_TEST(holds(found_out.text, "snapshot"), found_out.text);
    BOOST_TEST(!at.renew(at.there, other.held.epoch).code);
}

/// After an outage several renewals of one lease wait for one command.
BOOST_AUTO_TEST_CASE(several_renewals_at_once) {
    database const at;
    auto const held = at.acquire(at.here, "one");
    std::vector<write_job> jobs(3, write_job{renew_request{at.group, held.held.epoch, milliseconds(10'000)}, {}});
    auto const began = std::chrono::steady_clock::now();
    at.here->write(jobs, within(milliseconds(3'000)));
    BOOST_TEST((std::chrono::steady_clock::now() - began < milliseconds(2'000)));
    for (auto const& each : jobs) BOOST_TEST(std::holds_alternative<minibatch::store::done>(each.result));
    BOOST_TEST(!at.renew(at.here, held.held.epoch).code);
}

BOOST_AUTO_TEST_CASE(two_processes_that_commit_under_one_lease) {
    database const at;
    auto const one = at.acquire(at.here, "same");
    auto const other = at.acquire(at.there, "same");
    BOOST_TEST(!at.commit(at.there, other, 2).code);
    auto const found_out = at.commit(at.here, one, 3);
    BOOST_TEST((found_out.code == errc::fenced), found_out.text);
    BOOST_TEST(holds(found_out.text, "snapshot"), found_out.text);
    BOOST_TEST(!at.commit(at.there, other, 3).code);
}

/// Records of earlier versions have neither a length nor a count: their holders' renewals show in the expiry.
BOOST_AUTO_TEST_CASE(records_of_earlier_versions) {
    database const at;
    BOOST_REQUIRE(at.acquire(at.here, "one").granted);
    mongo_command(at.url, R"({"update": "minibatch_groups", "updates": [{"q": {}, "u":
                              {"$unset": {"length": "", "renewals": ""}, "$inc": {"expires": 50000}}}]})");
    auto const seen = at.acquire(at.there, "two").held;
    BOOST_TEST(seen.length.count() == 0);
    mongo_command(at.url, R"({"update": "minibatch_groups", "updates": [{"q": {}, "u": {"$inc": {"expires": 1}}}]})");
    BOOST_TEST(!at.acquire(at.there, "two", seen).granted);
    auto const again = at.acquire(at.there, "two").held;
    BOOST_TEST(at.acquire(at.there, "two", again).granted);
}

BOOST_AUTO_TEST_SUITE_END()
