// The parts of the store by themselves, where its interface does not show what is at stake.
#include "mongo/support.hpp"
#include "store/mongo/groups/group_commits.hpp"
#include "store/mongo/groups/lease_table.hpp"
#include "store/mongo/log/log_reader.hpp"
#include "store/mongo/log/trimming.hpp"
#include "store/mongo/streams/stream_remover.hpp"
#include "store/mongo/wire/server_traits.hpp"
#include "support/mongo_command.hpp"

using namespace minibatch;
using namespace minibatch::test;

BOOST_AUTO_TEST_SUITE(mongo_parts)

namespace {

/// What a handle consists of.
struct parts {
    explicit parts(std::string const& url) : clients(mongo::parse_settings(url, 4), {}) {
        auto const server = mongo::greet(clients, soon());
        time.set(server.local_time, server.asked, server.answered);
    }
    static steady_time soon() { return within(milliseconds(10'000)); }
    log_id make() { return {streams.open("s", 1, {}, soon()).incarnation, 0}; }
    append_result append(log_id log) {
        auto one = one_message(log, R"({"a":1})");
        return writer.append(one, soon());
    }

    mongo::client_pool clients;
    mongo::database_clock time{minibatch::store::clock::real()};
    mongo::log_views views{time};
    mongo::log_lookup logs{clients, views};
    mongo::log_reader reader{logs};
    mongo::log_writer writer{logs};
    mongo::group_table groups{clients, logs};
    mongo::revisions known;
    mongo::lease_table leases{groups, known};
    mongo::group_commits commits{groups, known, true};
    mongo::stream_table streams{logs};
    mongo::stream_remover remover{streams, groups, writer};
};

}  // namespace

/// Somebody in this process may have read it for reasons of his own; whoever waits has not heard of it.
BOOST_AUTO_TEST_CASE(reads_do_not_count_as_notifications) {
    auto const url = fresh_database_url();
    parts here(url);
    parts there(url);
    auto const log = there.make();
    static_cast<void>(here.logs.look(log, parts::soon()));
    there.append(log);
    BOOST_TEST(here.logs.look(log, parts::soon()).end.end.number == 1);
    auto const record = here.logs.header(log, 0, parts::soon());
    BOOST_REQUIRE(record.has_value());
    BOOST_TEST(here.views.note_record(log, *record));
    BOOST_TEST(!here.views.note_record(log, *record));
    // Of what it appends itself, its own consumers hear otherwise.
    here.append(log);
    BOOST_TEST(!here.views.note_record(log, here.logs.header(log, 1, parts::soon()).value()));
}

/// That the record behind the known end is not there does not mean that nothing came: it may be gone already.
BOOST_AUTO_TEST_CASE(end_of_a_log_whose_records_were_removed) {
    auto const url = fresh_database_url();
    parts here(url);
    parts there(url);
    auto const log = there.make();
    there.append(log);
    std::vector<log_id> const asked{log};
    BOOST_TEST(here.logs.look(log, parts::soon()).end.end.number == 1);
    for (int i = 0; i < 3; ++i) there.append(log);
    mongo::clear(there.logs, log, parts::soon());
    mongo_command(url, R"({"delete": "minibatch_segments", "deletes": [{"q": {"number": {"$lt": 3}}, "limit": 0}]})");
    auto const found = here.logs.ends(asked, {}, parts::soon());
    BOOST_REQUIRE(found.at(0).has_value());
    BOOST_TEST(found[0]->number == 4);
    BOOST_TEST(found[0]->offset == 4);
}

/// With shards, filters name the shard key, too; a server without shards finds the same documents by them.
BOOST_AUTO_TEST_CASE(filters_with_the_shard_key) {
    auto const url = fresh_database_url();
    parts at(url);
    at.clients.set_sharded(true);
    auto const soon = parts::soon();
    auto const log = at.make();
    for (int i = 0; i < 4; ++i) at.append(log);
    BOOST_TEST(at.reader.read(log, 0, {}, soon).records.size() == 4u);
    BOOST_TEST(at.logs.locate(log, 2, soon) == 2);
    BOOST_TEST(at.writer.seal({log, at.time.now()}, soon).end.offset == 4);

    group_id const group{log, "g"};
    BOOST_TEST(at.groups.enroll(group, start_position::earliest, false, soon).state.low == 0);
    BOOST_TEST(at.groups.enroll(group, start_position::earliest, true, soon).state.keep);
    BOOST_TEST(!at.groups.enroll(group, start_position::earliest, false, soon).state.keep);
    auto const held = at.leases.acquire({group, "owner", "id", milliseconds(60'000), {}}, soon);
    BOOST_REQUIRE(held.granted);
    write_job renewal{renew_request{group, held.held.epoch, milliseconds(90'000)}, {}};
    std::vector<write_job*> renewals{&renewal};
    at.leases.renew(renewals, soon);
    BOOST_TEST(std::holds_alternative<minibatch::store::done>(renewal.result));
    auto state = held.state;
    auto const resolve = [&](std::string const&, int, steady_time) { return log; };
    state.low = 1;
    state.low_number = 1;
    at.commits.commit({group, held.held.epoch, state, {}}, resolve, soon);
    state.low = 2;
    state.low_number = 2;
    std::vector<document_write> const writes{{document_write::kind::append, "s", "", 0, R"({"b":1})"}};
    at.commits.commit({group, held.held.epoch, state, writes}, resolve, soon);
    BOOST_TEST(at.groups.find(group, soon)->state.low == 2);
    at.leases.release({group, held.held.epoch}, soon);

    BOOST_TEST(mongo::trim(at.logs, at.groups, trim_request{log, 100}, {}, soon).removed == 2);
    BOOST_TEST(at.groups.drop(log.incarnation, 1, "g", soon));
    BOOST_TEST(at.groups.list(log.incarnation, 1, soon).empty());
    BOOST_TEST(at.remover.drop("s", log.incarnation, soon));
    BOOST_TEST((outcome_of([&] { at.append(log); }).code == errc::stream_deleted));
    mongo::remove_all(at.clients, log, soon);
    auto const left = mongo_command(url, R"({"count": "minibatch_segments"})");
    BOOST_TEST(holds(left, R"("n" : 1)") == holds(left, "\"n\""), left);  // the head alone
}

BOOST_AUTO_TEST_SUITE_END()
