#include <algorithm>
#include <thread>

#include "contract/stores.hpp"

using namespace minibatch;
using namespace minibatch::test;
namespace data = boost::unit_test::data;

BOOST_AUTO_TEST_SUITE(logs)

BOOST_DATA_TEST_CASE(names_and_partitions, every_store(), kind) {
    rig r(kind);
    for (auto const* bad : {"", ".a", "-a", "a b", "a/b", "\xc3\xa4"})
        BOOST_TEST((code_of([&] { r.make(bad); }) == errc::invalid_name), bad);
    BOOST_TEST((code_of([&] { r.make(std::string(121, 'a')); }) == errc::invalid_name));
    r.make(std::string(120, 'a'));
    auto const made =
        r.db->open_stream("three", 3, retention{.max_age = {}, .max_messages = 5, .max_bytes = {}}, soon());
    BOOST_TEST(made.partitions == 3);
    BOOST_TEST(made.incarnation > 0);
    auto const again = r.db->open_stream("three", std::nullopt, std::nullopt, soon());
    BOOST_TEST(again.incarnation == made.incarnation);
    BOOST_TEST((again.limits == made.limits));
    BOOST_TEST((code_of([&] { r.db->open_stream("three", 2, {}, soon()); }) == errc::partition_mismatch));
    BOOST_TEST((code_of([&] { r.db->open_stream("zero", 0, {}, soon()); }) == errc::invalid_argument));
    BOOST_TEST((code_of([&] { r.db->open_stream("many", 1025, {}, soon()); }) == errc::invalid_argument));
    BOOST_TEST(!r.db->find_stream("many", soon()));
    for (auto const& bad : {retention{.max_age = milliseconds(-1), .max_messages = {}, .max_bytes = {}},
                            retention{.max_age = {}, .max_messages = -1, .max_bytes = {}},
                            retention{.max_age = {}, .max_messages = {}, .max_bytes = -1}})
        BOOST_TEST((code_of([&] { r.db->open_stream("three", 3, bad, soon()); }) == errc::invalid_argument));
    r.db->open_stream("three", std::nullopt, retention{.max_age = milliseconds(7), .max_messages = {}, .max_bytes = 9},
                      soon());
    auto const found = r.db->find_stream("three", soon());
    BOOST_REQUIRE(found);
    BOOST_TEST((found->limits == retention{.max_age = milliseconds(7), .max_messages = {}, .max_bytes = 9}));
    BOOST_TEST(!r.db->find_stream("four", soon()));
    auto const all = r.another()->list_streams(soon());
    BOOST_TEST(all.size() == 2U);
    BOOST_TEST((code_of([&] { r.append({made.incarnation, 3}); }) == errc::invalid_argument));
    BOOST_TEST(r.append({made.incarnation, 2}).first == 0);
    BOOST_TEST(r.append({made.incarnation, 1}, 2).first == 0);
    BOOST_TEST(r.append({made.incarnation, 1}).first == 2);
    auto const most = r.db->open_stream("most", 1024, {}, soon());
    BOOST_TEST(r.append({most.incarnation, 1023}).first == 0);
}

BOOST_DATA_TEST_CASE(appends_are_ordered, every_store(), kind) {
    rig r(kind);
    auto const log = r.make();
    auto const empty = r.state(log);
    BOOST_TEST((empty.end == log_position{}));
    BOOST_TEST(empty.last_created == 0);
    auto const a = r.append(log, 3);
    r.time->time = 500;  // set back
    auto const b = r.append(log, 2);
    BOOST_TEST(a.number == 0);
    BOOST_TEST(a.created == 1'000'000);
    BOOST_TEST(b.number == 1);
    BOOST_TEST(b.first == 3);
    BOOST_TEST(b.created == 1'000'000);
    r.time->time = 1'000'007;
    BOOST_TEST(r.append(log).created == 1'000'007);
    auto const state = r.state(log);
    BOOST_TEST((state.end == log_position{3, 6}));
    BOOST_TEST(state.bytes == 27 + 18 + 9);  // [{"i":0},\n{"i":1},\n{"i":2}] …
    BOOST_TEST(state.last_created == 1'000'007);
    BOOST_TEST((code_of([&] {
                    r.write<append_result>(append_request{log, "x", 0, nullptr});
                }) == errc::invalid_argument));
    auto const first = r.write<append_result>(rig::segment(log, 2, "batch"));
    auto const repeated = r.write<append_result>(rig::segment(log, 2, "batch"));
    BOOST_TEST(repeated.number == first.number);
    BOOST_TEST(repeated.first == first.first);
    r.time->time = 2'000'000;
    BOOST_TEST(r.write<append_result>(rig::segment(log, 2, "batch")).created == first.created);
    BOOST_TEST((r.state(log).end == log_position{4, 8}));
    r.append(log);
    BOOST_TEST(r.write<append_result>(rig::segment(log, 2, "batch")).number == 5);  // only the last batch is recognized
}

BOOST_DATA_TEST_CASE(one_bad_job_leaves_the_others, every_store(), kind) {
    rig r(kind);
    auto const log = r.make();
    std::vector<write_job> jobs;
    jobs.push_back({rig::segment(log, 2), {}});
    jobs.push_back({rig::segment({log.incarnation + 1, 0}), {}});
    jobs.push_back({renew_request{{log, "nobody"}, 1, milliseconds(1)}, {}});
    jobs.push_back({rig::segment(log), {}});
    r.db->write(jobs, soon());
    BOOST_TEST(std::get<append_result>(jobs[0].result).first == 0);
    BOOST_TEST((std::get<error>(jobs[1].result).code() == errc::stream_deleted));
    BOOST_TEST((std::get<error>(jobs[2].result).code() == errc::group_not_found));
    BOOST_TEST(std::get<append_result>(jobs[3].result).first == 2);
    BOOST_TEST((r.state(log).end == log_position{2, 3}));
}

BOOST_DATA_TEST_CASE(seal, every_store(), kind) {
    rig r(kind);
    auto const log = r.make();
    r.append(log, 2);
    BOOST_TEST((r.seal(log, 1'000'000).end == log_position{1, 2}));  // nothing to write
    BOOST_TEST((code_of([&] { r.seal(log, 1'000'001); }) == errc::invalid_argument));
    r.time->time = 1'000'050;
    BOOST_TEST((r.seal(log, 1'000'040).end == log_position{2, 2}));
    r.time->time = 900'000;
    BOOST_TEST((r.seal(log, 1'000'040).end == log_position{2, 2}));
    BOOST_TEST(r.append(log).created >= 1'000'040);
    auto const records = r.read(log).records;
    BOOST_REQUIRE(records.size() == 3U);
    BOOST_TEST(records[1]->count() == 0);
    BOOST_TEST(records[1]->first() == 2);
    BOOST_TEST(records[2]->first() == 2);
    auto const other = r.make("empty");
    BOOST_TEST((r.seal(other, 900'000).end == log_position{1, 0}));
}

BOOST_DATA_TEST_CASE(read_and_locate, every_store(), kind) {
    rig r(kind);
    auto const log = r.make();
    BOOST_TEST(r.read(log).records.empty());
    BOOST_TEST(r.db->locate(log, 0, soon()) == 0);
    for (int count : {3, 2, 1, 4}) r.append(log, count);
    r.time->time = 2'000'000;
    r.seal(log, 1'500'000);
    r.append(log, 2);  // records 0 to 5, offsets 0 to 11
    auto const all = r.read(log);
    BOOST_REQUIRE(all.records.size() == 6U);
    BOOST_TEST((all.state.end == log_position{6, 12}));
    BOOST_TEST(all.records[3]->document(3) == "{\"i\":3}");
    BOOST_TEST(all.records[3]->first() == 6);
    BOOST_TEST(r.read(log, 0, {1 << 20, 2}).records.size() == 2U);
    BOOST_TEST(r.read(log, 0, {1, 100}).records.size() == 1U);
    BOOST_TEST(r.read(log, 0, {27 + 18, 100}).records.size() == 2U);
    BOOST_TEST(r.read(log, 0, {27 + 17, 100}).records.size() == 1U);
    BOOST_TEST(r.read(log, 4).records.front()->number() == 4);
    BOOST_TEST(r.read(log, 6).records.empty());
    BOOST_TEST(r.read(log, 99).records.empty());
    std::vector<int> const where{0, 0, 0, 1, 1, 2, 3, 3, 3, 3, 5, 5, 6, 6};
    for (std::size_t offset = 0; offset < where.size(); ++offset)
        BOOST_TEST(r.db->locate(log, static_cast<std::int64_t>(offset), soon()) == where[offset], offset);
}

BOOST_DATA_TEST_CASE(clearing_keeps_offsets, every_store(), kind) {
    rig r(kind);
    auto const log = r.make();
    r.db->clear_stream(log.incarnation, soon());
    r.append(log, 3);
    r.append(log, 2);
    r.enroll(log);
    r.db->clear_stream(log.incarnation, soon());
    auto const state = r.state(log);
    BOOST_TEST((state.floor == log_position{2, 5}));
    BOOST_TEST((state.end == state.floor));
    BOOST_TEST(state.cleared == 5);
    BOOST_TEST(state.bytes == 0);
    BOOST_TEST(r.read(log).records.empty());
    BOOST_TEST(r.append(log).first == 5);
    BOOST_TEST(r.read(log).records.size() == 1U);
    BOOST_TEST(r.state(log).bytes == 9);
    BOOST_TEST(r.db->locate(log, 0, soon()) == 2);
    auto const trimmed = r.trim(log);  // what clearing left behind
    BOOST_TEST(trimmed.lost.empty());
    BOOST_TEST((trimmed.floor == log_position{2, 5}));
    BOOST_TEST(r.enroll(log, "late").state.low == 5);
}

BOOST_DATA_TEST_CASE(deleted_streams_stay_deleted, every_store(), kind) {
    rig r(kind);
    auto const log = r.make();
    r.append(log, 3);
    r.enroll(log);
    BOOST_TEST(!r.db->delete_stream("s", log.incarnation + 1, soon()));
    BOOST_TEST(!r.db->delete_stream("t", log.incarnation, soon()));
    BOOST_TEST(r.db->delete_stream("s", log.incarnation, soon()));
    BOOST_TEST(!r.db->delete_stream("s", log.incarnation, soon()));
    BOOST_TEST(!r.db->find_stream("s", soon()));
    auto const fresh = r.make();
    BOOST_TEST(fresh.incarnation != log.incarnation);
    auto const gone = [&](auto const& action) { BOOST_TEST((code_of(action) == errc::stream_deleted)); };
    gone([&] { r.append(log); });
    gone([&] { r.seal(log, 1); });
    gone([&] { r.trim(log); });
    gone([&] { r.read(log); });
    gone([&] { r.state(log); });
    gone([&] { r.db->locate(log, 0, soon()); });
    gone([&] { r.enroll(log); });
    gone([&] { r.acquire({log, "g"}, "a"); });
    gone([&] { r.commit({log, "g"}, 0, {}); });
    gone([&] { r.db->clear_stream(log.incarnation, soon()); });
    gone([&] { r.db->list_groups(log.incarnation, soon()); });
    gone([&] { r.db->delete_group(log.incarnation, "g", soon()); });
    BOOST_TEST(r.append(fresh).first == 0);
    BOOST_TEST(r.read(fresh).records.size() == 1U);
    BOOST_TEST(r.db->list_groups(fresh.incarnation, soon()).empty());
}

BOOST_DATA_TEST_CASE(inspect, every_store(), kind) {
    rig r(kind);
    auto const log = r.make();
    auto const gone = r.make("gone");
    r.append(log, 3);
    r.enroll(log);
    r.enroll(gone);
    auto const held = r.acquire({log, "g"}, "a").held;
    r.db->delete_stream("gone", gone.incarnation, soon());
    std::vector<log_id> const ids{gone, log};
    std::vector<group_id> const groups{{log, "other"}, {log, "g"}, {gone, "g"}};
    auto const seen = r.db->inspect(ids, groups, soon());
    BOOST_REQUIRE(seen.ends.size() == 2U);
    BOOST_TEST(!seen.ends[0]);
    BOOST_TEST((seen.ends[1] == log_position{1, 3}));
    BOOST_REQUIRE(seen.leases.size() == 3U);
    BOOST_TEST(!seen.leases[0]);
    BOOST_TEST((seen.leases[1] == held));
    BOOST_TEST(!seen.leases[2]);
}

// A process gives its own consumers what it has appended without reading it back: the text must be the same.
BOOST_DATA_TEST_CASE(the_text_is_as_it_will_be_read, every_store(), kind) {
    rig r(kind);
    auto const log = r.make();
    log::segment_text text;
    text.add(R"({ "a" : 1e2,  "b": [ 1.50 , -0.0 ] })");
    text.add(R"({"$date": "no wrapper", "c":"\u00e4"})");
    append_request const request{log, "b", 2, std::make_shared<std::string const>(text.finish()), {}};
    std::vector<write_job> jobs{{request, {}}, {request, {}}};
    std::get<append_request>(jobs[1].request).batch = "c";
    r.db->prepare(std::get<append_request>(jobs[1].request));
    r.db->write(jobs, soon());
    auto const read = r.read(log).records;
    BOOST_REQUIRE(read.size() == 2U);
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        auto const now = r.db->text_as_read(std::get<append_request>(jobs[i].request));
        BOOST_TEST("[" + std::string(read[i]->documents(0, 2)) + "]" == *now);
    }
}

// Threads and handles append to one log concurrently: no gaps in the offsets, no duplicates.
BOOST_DATA_TEST_CASE(many_writers, every_store(), kind) {
    rig r(kind);
    auto const log = r.make();
    constexpr int each = 50;
    std::vector<std::shared_ptr<minibatch::store::store>> handles{r.another(), r.another(), r.another(), r.another()};
    std::vector<std::vector<std::int64_t>> firsts(handles.size());
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < handles.size(); ++i)
        threads.emplace_back([&, i] {
            for (int k = 0; k < each; ++k) {
                firsts[i].push_back(rig::append_with(*handles[i], log, 2).first);
                handles[i]->read(log, k, {}, soon());
            }
        });
    for (auto& thread : threads) thread.join();
    std::vector<std::int64_t> all;
    for (auto const& some : firsts) {
        BOOST_TEST(std::is_sorted(some.begin(), some.end()));
        all.insert(all.end(), some.begin(), some.end());
    }
    std::sort(all.begin(), all.end());
    BOOST_REQUIRE(all.size() == 4U * each);
    for (std::size_t i = 0; i < all.size(); ++i) BOOST_TEST_REQUIRE(all[i] == static_cast<std::int64_t>(2 * i));
    std::int64_t next = 0;
    for (auto const& record : r.read(log).records) {
        BOOST_TEST_REQUIRE(record->first() == next);
        next = record->end();
    }
    BOOST_TEST(next == 8 * each);
}

BOOST_AUTO_TEST_SUITE_END()
