#include "runtime/lease_watch.hpp"

#include <boost/test/unit_test.hpp>

using namespace std::chrono_literals;
using minibatch::runtime::lease_watch;
using minibatch::runtime::milliseconds;
using minibatch::runtime::steady_time;
using minibatch::store::lease;

BOOST_AUTO_TEST_SUITE(lease_watches)

namespace {

constexpr minibatch::store::time_ms database_now = 1'000'000;
steady_time at(milliseconds since) { return steady_time{} + since; }

}  // namespace

BOOST_AUTO_TEST_CASE(ends_a_whole_length_after_it_was_last_seen_to_change) {
    struct row {
        char const* what;
        lease next;
        bool changes;
    };
    lease const first{"owner", "a", 3, database_now + 10'000, 10s, 7};
    std::vector<row> const rows{
        {"nothing has changed", first, false},
        {"expiry alone", {"owner", "a", 3, database_now + 3'600'000, 10s, 7}, false},
        {"renewed", {"owner", "a", 3, database_now + 10'000, 10s, 8}, true},
        {"renewed, with a clock that was set back", {"owner", "a", 3, database_now - 3'600'000, 10s, 8}, true},
        {"passed on", {"other", "b", 4, database_now + 10'000, 10s, 1}, true},
        {"an older view", {"owner", "a", 3, database_now, 10s, 6}, false},
        {"a view of an earlier holder", {"earlier", "z", 2, database_now, 10s, 90}, false},
        {"of an earlier version, renewed", {"owner", "a", 3, database_now + 13'000, 0s, 7}, true}};
    for (auto const& each : rows) {
        BOOST_TEST_CONTEXT(each.what) {
            lease_watch watch(3s);
            BOOST_TEST(!watch.ended(at(1h)));
            BOOST_TEST(watch.see(first, at(1s), database_now));
            BOOST_TEST((watch.ends_at() == at(11s)));
            BOOST_TEST(watch.see(each.next, at(5s), database_now) == each.changes);
            BOOST_TEST(!watch.ended(at(10'999ms)));
            BOOST_TEST(watch.ended(at(11s)).has_value() == !each.changes);
            if (each.next.length == 10s && each.changes) {
                BOOST_TEST(!watch.ended(at(14'999ms)));
                BOOST_TEST((watch.ended(at(15s)) == each.next));
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(record_without_a_length) {
    struct row {
        char const* what;
        milliseconds left;
        milliseconds expected;
    };
    for (auto const& each : {row{"expired", -5s, 10s}, row{"little left", 1s, 10s}, row{"much left", 20s, 30s},
                             row{"written by a clock that was ahead", 1h, 90s}}) {
        BOOST_TEST_CONTEXT(each.what) {
            lease_watch watch(10s);
            watch.see({"owner", "a", 3, database_now + each.left.count()}, at(1s), database_now);
            BOOST_TEST((watch.ends_at() == at(1s) + each.expected));
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
