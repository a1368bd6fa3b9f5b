#include "runtime/lane_key.hpp"

#include <boost/test/unit_test.hpp>
#include <set>

using namespace minibatch;
using runtime::lane_key;
using runtime::lane_of;
using runtime::lane_of_append;
using store::write_scope;

BOOST_AUTO_TEST_SUITE(lane_keys)

namespace {

store::log_id const one{7, 1}, other{7, 2};

std::vector<store::write_request> requests_of(store::log_id log, std::string const& group) {
    store::group_id const of{log, group};
    store::append_request append;
    append.log = log;
    return {append,
            store::seal_request{log, 0},
            store::acquire_request{of, "me", "a", store::milliseconds(1), {}},
            store::renew_request{of, 1, store::milliseconds(1)},
            store::release_request{of, 1},
            store::commit_request{of, 1, {}, {}},
            store::trim_request{log}};
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_store_with_one_writer_has_one_lane) {
    std::set<lane_key> found{lane_of_append(write_scope::whole_store, one),
                             lane_of_append(write_scope::whole_store, other)};
    for (auto const& request : requests_of(one, "g")) found.insert(lane_of(write_scope::whole_store, request));
    BOOST_TEST(found.size() == 1U);
    BOOST_TEST((found.begin()->what == lane_key::kind::common));
}

BOOST_AUTO_TEST_CASE(otherwise_logs_groups_trims_and_renewals_do_not_wait_for_one_another) {
    auto const lanes_of = [](store::log_id log, std::string const& group) {
        std::vector<lane_key> found;
        for (auto const& request : requests_of(log, group)) found.push_back(lane_of(write_scope::log, request));
        return found;
    };
    auto const here = lanes_of(one, "g");
    BOOST_TEST((here[0] == lane_of_append(write_scope::log, one)));
    BOOST_TEST((here[0] == here[1]));  // append, seal
    BOOST_TEST((here[2] == here[4]));  // acquisition, release
    BOOST_TEST((here[2] == here[5]));  // commit
    std::set<lane_key> const kinds(here.begin(), here.end());
    BOOST_TEST(kinds.size() == 4U);

    auto const elsewhere = lanes_of(other, "g");
    auto const of_another_group = lanes_of(one, "h");
    for (std::size_t i = 0; i < here.size(); ++i) {
        bool const renewal = i == 3;  // those of all leases go together
        BOOST_TEST((here[i] == elsewhere[i]) == renewal);
        bool const of_group = i == 2 || i == 4 || i == 5;
        BOOST_TEST((here[i] == of_another_group[i]) == !of_group);
    }
}

BOOST_AUTO_TEST_SUITE_END()
