// When records leave the database for good: late enough that whoever was cut off finds what is in its way.
#include <algorithm>
#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>
#include <map>
#include <vector>

#include "store/open.hpp"
#include "support/background_closer.hpp"
#include "support/fail_points.hpp"
#include "support/mongo_command.hpp"
#include "support/mongo_database.hpp"

using namespace minibatch;
using namespace minibatch::test;
using namespace minibatch::store;

BOOST_AUTO_TEST_SUITE(removal)

namespace {

/// Both clocks, the database's and this machine's, go when the test says so.
class steered_clock final : public minibatch::store::clock {
  public:
    time_ms system_now() override { return 1'000'000 + passed_.load(); }
    steady_time steady_now() override { return started_ + milliseconds(passed_.load() - paused_.load()); }
    void pass(std::chrono::seconds how_long) { passed_ += milliseconds(how_long).count(); }
    /// This machine is paused, and its clock with it; the server goes on.
    void pause(std::chrono::seconds how_long) {
        paused_ += milliseconds(how_long).count();
        pass(how_long);
    }

  private:
    steady_time started_ = std::chrono::steady_clock::now();
    std::atomic<std::int64_t> passed_ = 0;
    std::atomic<std::int64_t> paused_ = 0;
};

struct steered_database {
    std::string url = fresh_database_url();
    std::shared_ptr<steered_clock> time = std::make_shared<steered_clock>();

    std::shared_ptr<minibatch::store::store> open() const { return open_with(time); }
    std::shared_ptr<minibatch::store::store> open_with(std::shared_ptr<steered_clock> clock) const {
        open_options options;
        options.time = std::move(clock);
        return background_closer::shared().wrap(open_store(url, options));
    }
    steady_time soon() const { return time->steady_now() + std::chrono::seconds(20); }

    std::vector<std::string> ids(std::string const& collection) const {
        auto const answer = boost::json::parse(
            mongo_command(url, R"({"find": ")" + collection + R"(", "sort": {"_id": 1}, "projection": {"_id": 1}})"));
        std::vector<std::string> out;
        for (auto const& each : answer.at("cursor").at("firstBatch").as_array())
            out.emplace_back(each.at("_id").as_string());
        return out;
    }
    /// The ends of the ids of records: their numbers.
    std::vector<int> numbers() const {
        std::vector<int> out;
        for (auto const& id : ids("minibatch_segments"))
            if (std::count(id.begin(), id.end(), '/') == 2) out.push_back(std::stoi(id.substr(id.rfind('/') + 1)));
        return out;
    }
};

template <class Result, class Request>
Result write(minibatch::store::store& to, steady_time deadline, Request request) {
    write_job job{std::move(request), {}};
    to.write({&job, 1}, deadline);
    if (auto const* failure = std::get_if<error>(&job.result)) throw *failure;
    return std::get<Result>(job.result);
}

void append(steered_database const& at, minibatch::store::store& to, log_id log, int segments) {
    for (int i = 0; i < segments; ++i)
        write<append_result>(to, at.soon(), append_request{log, "", 1, std::make_shared<std::string const>("[{}]")});
}

using numbers = std::vector<int>;

}  // namespace

BOOST_AUTO_TEST_CASE(trimmed_records_stay_for_ten_seconds) {
    steered_database const at;
    auto const db = at.open();
    log_id const log{db->open_stream("s", 1, {}, at.soon()).incarnation, 0};
    auto const group = db->register_group({log, "g"}, start_position::earliest, false, at.soon());
    append(at, *db, log, 4);
    auto const held =
        write<acquire_result>(*db, at.soon(), acquire_request{group.id, "owner", "a", milliseconds(60'000), {}});
    auto state = held.state;
    state.low = 3;
    state.low_number = 3;
    at.time->pass(std::chrono::seconds(2));
    write<done>(*db, at.soon(), commit_request{group.id, held.held.epoch, state, {}});
    BOOST_TEST(write<trim_result>(*db, at.soon(), trim_request{log, 100}).removed == 3);

    db->maintain(at.soon());
    BOOST_TEST(at.numbers() == (numbers{0, 1, 2, 3}), boost::test_tools::per_element());
    at.time->pass(std::chrono::seconds(9));
    db->maintain(at.soon());
    BOOST_TEST(at.numbers() == (numbers{0, 1, 2, 3}), boost::test_tools::per_element());
    at.time->pass(std::chrono::seconds(2));
    db->maintain(at.soon());
    BOOST_TEST(at.numbers() == (numbers{3}), boost::test_tools::per_element());
}

// A virtual machine is paused between two appends, or moved to another host: none of its clocks tells of it. Meanwhile
// the record that followed its last one was appended by others, committed and removed, so that its number is free.
BOOST_AUTO_TEST_CASE(a_paused_machine_does_not_append_where_a_record_was_removed) {
    steered_database const at;
    auto const paused = std::make_shared<steered_clock>();
    auto const victim = at.open_with(paused);
    log_id const log{victim->open_stream("s", 1, {}, at.soon()).incarnation, 0};
    append(at, *victim, log, 3);

    auto const others = at.open();
    append(at, *others, log, 3);
    others->clear_stream(log.incarnation, at.soon());
    at.time->pass(std::chrono::seconds(2));
    static_cast<void>(others->state(log, at.soon()));  // the end has been known since
    at.time->pass(std::chrono::seconds(28));
    others->maintain(at.soon());
    BOOST_REQUIRE(at.numbers() == (numbers{5}));

    paused->pause(std::chrono::seconds(30));
    BOOST_CHECK_EXCEPTION(append(at, *victim, log, 1), error,
                          [](error const& problem) { return problem.code() == errc::outcome_unknown; });
    append(at, *victim, log, 1);
    BOOST_TEST(victim->read(log, 0, {}, at.soon()).records.back()->number() == 6);
}

// Removal makes room, so it must not need any; nor must commits and trimming, as far as the server lets them.
BOOST_AUTO_TEST_CASE(full_disk) {
    mongo_server const server;
    steered_database at;
    at.url = server.url("d");
    auto const db = at.open();
    log_id const log{db->open_stream("s", 1, {}, at.soon()).incarnation, 0};
    auto const group = db->register_group({log, "g"}, start_position::earliest, false, at.soon());
    append(at, *db, log, 4);
    auto const held =
        write<acquire_result>(*db, at.soon(), acquire_request{group.id, "owner", "a", milliseconds(60'000), {}});
    auto state = held.state;
    state.low = 3;
    state.low_number = 3;
    {
        fail_point const full(server.url("admin"), {.commands = {"insert"}, .error_code = 14031});
        try {
            append(at, *db, log, 1);
            BOOST_ERROR("appended to a full disk");
        } catch (error const& problem) {
            BOOST_TEST((problem.code() == errc::storage_full), problem.diagnostics());
            BOOST_TEST(problem.diagnostics().find("127.0.0.1:" + std::to_string(server.port())) != std::string::npos);
            BOOST_TEST(problem.diagnostics().find("free space there") != std::string::npos);
        }
        at.time->pass(std::chrono::seconds(2));
        write<done>(*db, at.soon(), commit_request{group.id, held.held.epoch, state, {}});
        BOOST_TEST(write<trim_result>(*db, at.soon(), trim_request{log, 100}).removed == 3);
    }
    at.time->pass(std::chrono::seconds(30));
    {
        fail_point const full(server.url("admin"), {.commands = {"insert", "update"}, .error_code = 14031});
        db->maintain(at.soon());
    }
    BOOST_TEST(at.numbers() == (numbers{3}), boost::test_tools::per_element());
    append(at, *db, log, 1);
}

// Who deletes a stream may die after the first step. Whoever finishes it counts from its own burial.
BOOST_AUTO_TEST_CASE(finishes_deletions_of_other_processes) {
    steered_database const at;
    auto const first = at.open();
    auto const incarnation = first->open_stream("s", 1, {}, at.soon()).incarnation;
    append(at, *first, {incarnation, 0}, 2);
    // The first step of a deletion, and no more.
    auto const text = at.ids("minibatch_segments").front().substr(0, 16);
    mongo_command(at.url, R"({"insert": "minibatch_streams", "documents": [{"_id": "!)" + text +
                              R"(", "name": "s", "of": ")" + text + R"(", "partitions": 1, "deleted":
                              {"$date": {"$numberLong": ")" +
                              std::to_string(at.time->system_now()) + R"("}}}]})");

    auto const other = at.open();
    other->maintain(at.soon());
    BOOST_TEST(at.numbers() == (numbers{0, 1}), boost::test_tools::per_element());

    // Buried, with a tombstone; the one that was cut off runs into it.
    at.time->pass(std::chrono::seconds(60));
    other->maintain(at.soon());
    BOOST_TEST(at.numbers() == (numbers{0, 1, 2}), boost::test_tools::per_element());
    BOOST_CHECK_EXCEPTION(append(at, *first, {incarnation, 0}, 1), error,
                          [](error const& problem) { return problem.code() == errc::stream_deleted; });

    at.time->pass(std::chrono::seconds(19));
    other->maintain(at.soon());
    BOOST_TEST(at.numbers() == (numbers{0, 1, 2}), boost::test_tools::per_element());
    at.time->pass(std::chrono::seconds(11));
    other->maintain(at.soon());
    BOOST_TEST(at.ids("minibatch_segments").empty());
    BOOST_TEST(at.ids("minibatch_streams").empty());
}

// The removal of a deleted stream may be cut short anywhere; whoever goes on removes what is there.
BOOST_AUTO_TEST_CASE(interrupted_removal) {
    steered_database const at;
    auto const db = at.open();
    for (std::string const name : {"a", "b"}) {
        log_id const log{db->open_stream(name, 1, {}, at.soon()).incarnation, 0};
        append(at, *db, log, 6);
        db->clear_stream(log.incarnation, at.soon());
        append(at, *db, log, 6);
        BOOST_TEST(db->delete_stream(name, log.incarnation, at.soon()));
    }
    // Of both not even the last record is left, which the end of a log is told by.
    mongo_command(at.url, R"({"delete": "minibatch_segments",
                              "deletes": [{"q": {"number": {"$exists": true, "$nin": [3, 5]}}, "limit": 0}]})");
    at.time->pass(std::chrono::seconds(60));
    db->maintain(at.soon());
    BOOST_TEST(at.ids("minibatch_segments").empty());
    BOOST_TEST(at.ids("minibatch_streams").empty());
}

BOOST_AUTO_TEST_SUITE_END()
