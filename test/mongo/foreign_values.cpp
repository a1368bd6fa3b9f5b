// Values that somebody else has written into the collections: each is an error that names the record, and no operation
// works on it for long or goes on for ever.
#include <atomic>
#include <chrono>
#include <functional>

#include "mongo/support.hpp"
#include "support/mongo_command.hpp"

using namespace minibatch;
using namespace minibatch::test;

BOOST_AUTO_TEST_SUITE(foreign_values)

namespace {

/// Any operation on such a record ends within this time, or soon after.
constexpr milliseconds limit{1'500};

/// A database with the stream "s" of five records and the group "g", whose lease is held.
struct written_database {
    std::string url = fresh_database_url();
    log_id log;
    std::string key;  // of the head

    written_database() {
        auto const db = opened(url);
        log = {db->open_stream("s", 1, {}, within(milliseconds(10'000))).incarnation, 0};
        for (int i = 0; i < 5; ++i) append(*db, log, R"({"i":1})", milliseconds(10'000));
        db->register_group({log, "g"}, start_position::earliest, false, within(milliseconds(10'000)));
        write<acquire_result>(*db, acquire_request{{log, "g"}, "owner", "one", milliseconds(60'000), {}},
                              within(milliseconds(10'000)));
        char text[32];
        std::snprintf(text, sizeof text, "%016llx/0000", static_cast<unsigned long long>(log.incarnation));
        key = text;
    }
    std::string record(int number) const { return key + "/00000000000" + std::to_string(number); }
    std::string group() const { return key + "/g"; }
    void set(std::string const& collection, std::string const& id, std::string const& fields) const {
        mongo_command(url, R"({"update": ")" + collection + R"(", "updates": [{"q": {"_id": ")" + id +
                               R"("}, "u": {"$set": )" + fields + "}}]}");
    }
    void erase(std::string const& id) const {
        mongo_command(url,
                      R"({"delete": "minibatch_segments", "deletes": [{"q": {"_id": ")" + id + R"("}, "limit": 1}]})");
    }

    /// What all operations end with, on a handle that knows nothing yet.
    std::vector<outcome> all_outcomes() const {
        auto const db = opened(url);
        std::vector<outcome> out;
        auto const attempt = [&](char const* name, auto const& action) {
            auto const began = std::chrono::steady_clock::now();
            out.push_back(outcome_of([&] { action(within(limit)); }));
            BOOST_TEST((std::chrono::steady_clock::now() - began < limit + milliseconds(2'000)), name);
        };
        group_id const g{log, "g"};
        attempt("open", [&](auto until) { db->open_stream("s", {}, {}, until); });
        attempt("read", [&](auto until) {
            std::int64_t number = 0;
            for (;;) {
                auto const got = db->read(log, number, {}, until);
                if (got.records.empty()) return;
                number = got.records.back()->number() + 1;
            }
        });
        attempt("locate", [&](auto until) { db->locate(log, 3, until); });
        attempt("state", [&](auto until) { db->state(log, until); });
        attempt("inspect", [&](auto until) { db->inspect({&log, 1}, {&g, 1}, until); });
        attempt("list groups", [&](auto until) { db->list_groups(log.incarnation, until); });
        attempt("register", [&](auto until) { db->register_group(g, start_position::earliest, false, until); });
        attempt("register another", [&](auto until) {
            db->register_group({log, "h"}, start_position::earliest, true, until);
        });
        attempt("acquire", [&](auto until) {
            write<acquire_result>(*db, acquire_request{g, "other", "two", milliseconds(10'000), {}}, until);
        });
        attempt("renew", [&](auto until) {
            write<minibatch::store::done>(*db, renew_request{g, 1, milliseconds(10'000)}, until);
        });
        attempt("commit", [&](auto until) {
            progress state;
            state.low = 4;
            state.low_number = 4;
            write<minibatch::store::done>(*db, commit_request{g, 1, state, {}}, until);
        });
        attempt("trim", [&](auto until) { write<trim_result>(*db, trim_request{log, 100}, until); });
        attempt("append", [&](auto until) { write<append_result>(*db, one_message(log, "{}"), until); });
        attempt("delete group", [&](auto until) { db->delete_group(log.incarnation, "g", until); });
        attempt("maintain", [&](auto until) { db->maintain(until); });
        return out;
    }
};

/// Some operation reports damage that is named so, and none reports another one.
void expect_damage(written_database const& at, std::string const& name, std::string const& field) {
    int found = 0;
    for (auto const& each : at.all_outcomes()) {
        if (each.code != errc::corrupt) continue;
        ++found;
        BOOST_TEST(holds(each.text, name), each.text);
        BOOST_TEST(holds(each.text, field), each.text);
    }
    BOOST_TEST(found > 0, "nobody reports " << field << " of " << name);
}

struct foreign {
    std::string field;
    std::string value;
    std::string words;  // of the error
};

void expect_each(char const* collection, std::function<std::string(written_database const&)> const& id,
                 std::vector<foreign> const& all) {
    for (auto const& [field, value, words] : all) {
        written_database const at;
        at.set(collection, id(at), "{\"" + field + "\": " + value + "}");
        expect_damage(at, id(at), words);
    }
}

std::string const largest = R"({"$numberLong": "9223372036854775807"})";
std::string const smallest = R"({"$numberLong": "-9223372036854775808"})";
std::string const never = R"({"$date": {"$numberLong": "9223372036854775000"}})";

}  // namespace

BOOST_AUTO_TEST_CASE(in_a_record) {
    auto const third = [](auto const& at) { return at.record(2); };
    expect_each("minibatch_segments", third,
                {{"number", "10000000000000", "number"},
                 {"number", "-1", "number"},
                 {"number", "3", "'number'"},
                 {"first", "100", "offset"},
                 {"first", "-7", "first offset"},
                 {"count", largest, "count of messages"},
                 {"created", never, "its time"},
                 {"bytes_before", smallest, "bytes"}});
}

BOOST_AUTO_TEST_CASE(in_the_last_record) {
    auto const last = [](auto const& at) { return at.record(4); };
    expect_each(
        "minibatch_segments", last,
        {{"number", "10000000000000", "number"}, {"first", largest, "first offset"}, {"created", never, "its time"}});
}

BOOST_AUTO_TEST_CASE(missing_record) {
    written_database const at;
    at.erase(at.record(2));
    expect_damage(at, at.record(2), "missing");
}

BOOST_AUTO_TEST_CASE(in_the_head_of_a_log) {
    auto const head = [](auto const& at) { return at.key; };
    expect_each("minibatch_segments", head,
                {{"floor_number", "-1", "number of the floor"},
                 {"floor_number", "10000000000000", "number of the floor"},
                 {"floor_offset", largest, "offset of the floor"},
                 {"version", "-1", "version"},
                 {"epoch_base", largest, "epoch_base"}});
}

BOOST_AUTO_TEST_CASE(in_a_group) {
    auto const group = [](auto const& at) { return at.group(); };
    expect_each("minibatch_groups", group,
                {{"low", "-3", "lowest offset"},
                 {"low_number", "10000000000000", "lowest offset"},
                 {"epoch", "-1", "epoch"},
                 {"expires", largest, "expiry"},
                 {"takeovers", R"({"$numberLong": "1099511627776"})", "takeovers"},
                 {"partition", "70000", "partition"}});
}

BOOST_AUTO_TEST_CASE(in_a_stream) {
    auto const stream = [](auto const&) { return std::string("s"); };
    expect_each("minibatch_streams", stream,
                {{"partitions", "0", "partitions"},
                 {"partitions", "4000000000", "partitions"},
                 {"max_messages", "-1", "max_messages"},
                 {"max_age", "-1", "max_age"}});
}

/// A group in use whose name the head does not list can be neither registered nor withdrawn.
BOOST_AUTO_TEST_CASE(group_missing_in_its_log) {
    written_database const at;
    at.set("minibatch_segments", at.key, R"({"groups": []})");
    auto const db = opened(at.url);
    std::atomic<int> sent = 0;
    open_options options;
    options.on_command = [&](std::string_view) { ++sent; };
    auto const other = open_store(at.url, options);
    auto const got = outcome_of([&] {
        other->register_group({at.log, "g"}, start_position::earliest, false, within(milliseconds(1'000)));
    });
    BOOST_TEST((got.code == errc::unavailable), got.text);
    BOOST_TEST(holds(got.text, at.group()), got.text);
    BOOST_TEST(sent < 200, "it pauses between its tries: " << sent);
}

BOOST_AUTO_TEST_SUITE_END()
