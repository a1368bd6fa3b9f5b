#include "runtime/write_batch.hpp"

#include <boost/test/unit_test.hpp>

#include "runtime_support.hpp"
#include "store/memory/memory_store.hpp"
#include "support/failing_store.hpp"

using namespace std::chrono_literals;
using namespace minibatch;
using namespace minibatch::test;

BOOST_AUTO_TEST_SUITE(write_batches)

namespace {

using strings = std::vector<std::string>;

/// A store with a stream of two partitions, and what the completions have said.
struct batch_rig {
    batch_rig()
        : memory(store::open_memory({}, {})),
          database(std::make_shared<failing_store>(memory)),
          incarnation(memory->open_stream("s", 2, {}, soon()).incarnation) {}

    static runtime::steady_time soon() { return std::chrono::steady_clock::now() + 10s; }
    runtime::queued_append append(std::string const& number, int partition = 0) {
        auto const document = "{\"n\":" + number + "}";
        log::segment_text documents;
        documents.add(document);
        auto const bytes = documents.size();
        auto done = [this, number, document](std::optional<error> const& problem, std::int64_t first,
                                             std::string_view unwritten) {
            if (!problem)
                said.push_back(number + " at " + std::to_string(first));
            else
                said.push_back(number + (unwritten == document ? " failed" : " lost"));
        };
        return {0, {incarnation, partition}, std::move(documents), std::move(done), soon(), bytes};
    }
    runtime::queued_write seal(int partition) {
        return {store::seal_request{{incarnation, partition}, 0}, [this](store::write_result const& result) {
                    said.push_back(std::holds_alternative<error>(result) ? "seal failed" : "sealed");
                }};
    }
    void write(std::deque<runtime::queued_append> appends, std::deque<runtime::queued_write> writes = {}) {
        runtime::write_batch batch(std::move(appends), std::move(writes));
        batch.join(full_segment, names);
        batch.write(*database, soon());
        BOOST_TEST(said.empty());
        batch.complete(*database, newest);
    }
    std::size_t records(int partition) const {
        return memory->read({incarnation, partition}, 0, {}, soon()).records.size();
    }

    std::shared_ptr<store::store> memory;
    std::shared_ptr<failing_store> database;
    std::int64_t incarnation;
    std::size_t full_segment = 1000;
    runtime::batch_names names;
    runtime::tail newest;
    strings said;
};

std::deque<runtime::queued_append> in_order(auto... items) {
    std::deque<runtime::queued_append> all;
    (all.push_back(std::move(items)), ...);
    return all;
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_appends_of_each_log_become_one_segment) {
    batch_rig w;
    w.write(in_order(w.append("11"), w.append("22", 1), w.append("33"), w.append("44", 1)));
    strings const expected{"11 at 0", "33 at 1", "22 at 0", "44 at 1"};
    BOOST_TEST(w.said == expected, boost::test_tools::per_element());
    BOOST_TEST(w.records(0) == 1U);
    BOOST_TEST(w.records(1) == 1U);
}

BOOST_AUTO_TEST_CASE(a_full_segment_is_followed_by_another) {
    batch_rig w;
    w.full_segment = 14;
    w.write(in_order(w.append("11"), w.append("22"), w.append("33"), w.append("456789"), w.append("55")));
    strings const expected{"11 at 0", "22 at 1", "33 at 2", "456789 at 3", "55 at 4"};
    BOOST_TEST(w.said == expected, boost::test_tools::per_element());
    BOOST_TEST(w.records(0) == 4U);  // [11, 22], [33], [456789], [55]
}

BOOST_AUTO_TEST_CASE(each_append_of_a_segment_that_failed_gets_its_own_documents_back) {
    batch_rig w;
    w.database->fail_all(errc::unavailable);
    std::deque<runtime::queued_write> writes;
    writes.push_back(w.seal(0));
    w.write(in_order(w.append("11"), w.append("22")), std::move(writes));
    strings const expected{"11 failed", "22 failed", "seal failed"};
    BOOST_TEST(w.said == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(consumers_get_segments_before_the_appends_complete) {
    batch_rig w;
    store::log_id const log{w.incarnation, 0};
    auto const follower = w.newest.follow(log, [&](std::optional<store::log_position> end) {
        w.said.push_back(end ? "end " + std::to_string(end->offset) : "unknown");
    });
    w.write(in_order(w.append("11"), w.append("22")));
    strings const expected{"end 2", "11 at 0", "22 at 1"};
    BOOST_TEST(w.said == expected, boost::test_tools::per_element());
    BOOST_TEST(w.newest.from(log, 0, 1000).size() == 1U);

    w.said.clear();
    w.database->fail_call(1, errc::unavailable, failing_store::way::answer_lost);
    w.write(in_order(w.append("33")));
    strings const in_doubt{"unknown", "33 failed"};
    BOOST_TEST(w.said == in_doubt, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(only_appends_and_commits_are_data) {
    batch_rig w;
    std::deque<runtime::queued_write> renewals, commits;
    store::group_id const group{{w.incarnation, 0}, "g"};
    renewals.push_back({store::renew_request{group, 1, 1s}, {}});
    commits.push_back({store::commit_request{group, 1, {}, {}}, {}});
    BOOST_TEST(!runtime::write_batch({}, std::move(renewals)).holds_data());
    BOOST_TEST(runtime::write_batch({}, std::move(commits)).holds_data());
    BOOST_TEST(runtime::write_batch(in_order(w.append("11")), {}).holds_data());
}

BOOST_AUTO_TEST_CASE(segments_have_names_of_their_own) {
    runtime::batch_names one, other;
    auto const first = one.next();
    BOOST_TEST(first != one.next());
    BOOST_TEST(first != other.next());
}

BOOST_AUTO_TEST_SUITE_END()
