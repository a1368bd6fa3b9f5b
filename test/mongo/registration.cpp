// A group is registered while another handle deletes it: either way it is on the list that trimming goes by.
#include <boost/test/unit_test.hpp>
#include <functional>

#include "store/open.hpp"
#include "support/mongo_command.hpp"
#include "support/mongo_database.hpp"

using namespace minibatch;
using namespace minibatch::test;
using namespace minibatch::store;

BOOST_AUTO_TEST_SUITE(registration)

namespace {

steady_time soon() { return std::chrono::steady_clock::now() + std::chrono::seconds(20); }

/// Two handles of one stream. What `before` is set to is called before each command that the first one sends.
struct handles {
    std::string url = fresh_database_url();
    std::function<void(std::string_view)> before;
    std::shared_ptr<minibatch::store::store> first = open([this](std::string_view command) {
        if (before) before(command);
    });
    std::shared_ptr<minibatch::store::store> second = open({});
    std::int64_t incarnation = first->open_stream("s", 1, {}, soon()).incarnation;
    group_id group{{incarnation, 0}, "g"};

    std::shared_ptr<minibatch::store::store> open(std::function<void(std::string_view)> on_command) const {
        open_options options;
        options.on_command = std::move(on_command);
        return open_store(url, options);
    }
    void enroll(minibatch::store::store& by) const {
        by.register_group(group, start_position::earliest, false, soon());
    }
    std::size_t listed() const { return second->list_groups(incarnation, soon()).size(); }
};

}  // namespace

BOOST_AUTO_TEST_CASE(deleted_between_the_name_and_the_progress) {
    int deletions = 0;  // before the handles, which still send commands when they close
    handles two;
    two.before = [&](std::string_view command) {
        if (command != "insert" || deletions > 0) return;
        ++deletions;
        two.second->delete_group(two.incarnation, "g", soon());
    };
    two.enroll(*two.first);
    BOOST_TEST(deletions == 1);
    BOOST_TEST(two.listed() == 1u);
}

BOOST_AUTO_TEST_CASE(registered_between_the_progress_and_the_name) {
    bool deleted = false;
    int registrations = 0;
    handles two;
    two.enroll(*two.second);
    two.before = [&](std::string_view command) {
        if (deleted && command == "update" && registrations++ == 0) two.enroll(*two.second);
        deleted = deleted || command == "delete";
    };
    BOOST_TEST(two.first->delete_group(two.incarnation, "g", soon()));
    BOOST_TEST(registrations == 1);
    BOOST_TEST(two.listed() == 1u);
}

/// Whoever registered it was killed while somebody else deleted it; nobody has kept messages for it since.
BOOST_AUTO_TEST_CASE(interrupted_registration) {
    handles two;
    two.enroll(*two.first);
    mongo_command(two.url, R"({"update": "minibatch_segments", "updates": [{"q": {"groups": "g"},
                               "u": {"$pull": {"groups": "g"}}}]})");
    BOOST_TEST(two.listed() == 0u);
    two.enroll(*two.second);
    BOOST_TEST(two.listed() == 1u);
}

/// The insertion of a registration that was given up long ago comes through at last, after a deletion.
BOOST_AUTO_TEST_CASE(late_copy_of_a_registration) {
    handles two;
    two.enroll(*two.first);
    mongo_command(two.url, R"({"update": "minibatch_segments", "updates": [{"q": {"groups": "g"},
                               "u": {"$set": {"epoch_base": {"$numberLong": "7"}}}}]})");
    two.enroll(*two.second);
    BOOST_TEST(two.second->list_groups(two.incarnation, soon()).at(0).held.epoch == 7);
}

BOOST_AUTO_TEST_SUITE_END()
