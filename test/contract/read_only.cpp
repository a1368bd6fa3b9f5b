#include "contract/stores.hpp"

using namespace minibatch;
using namespace minibatch::test;

BOOST_AUTO_TEST_SUITE(read_only_stores)

/// Stores that are opened to be read only.
namespace {

std::shared_ptr<minibatch::store::store> reader_of(std::string const& url) {
    open_options options;
    options.read_only = true;
    return open_store(url, options);
}

std::int64_t count(minibatch::store::store& db, log_id log) {
    std::int64_t out = 0;
    for (auto const& record : db.read(log, 0, {}, soon()).records) out += record->end() - record->first();
    return out;
}

}  // namespace

BOOST_DATA_TEST_CASE(what_is_there_can_be_read, every_store(), kind) {
    rig r(kind);
    auto const log = r.make();
    r.append(log, 3);
    r.enroll(log);
    auto const reading = reader_of(r.url);
    BOOST_REQUIRE(reading->find_stream("s", soon()).has_value());
    BOOST_TEST(reading->find_stream("s", soon())->incarnation == log.incarnation);
    BOOST_TEST(!reading->find_stream("t", soon()).has_value());
    BOOST_TEST(reading->list_streams(soon()).size() == 1U);
    BOOST_TEST(reading->list_groups(log.incarnation, soon()).size() == 1U);
    BOOST_TEST(reading->state(log, soon()).end.offset == 3);
    BOOST_TEST(reading->locate(log, 1, soon()) == 0);
    BOOST_TEST(count(*reading, log) == 3);
    group_id const group{log, "g"};
    BOOST_TEST(reading->inspect({&log, 1}, {&group, 1}, soon()).ends.at(0).has_value());
    BOOST_TEST(reading->read_collection("c", soon()).empty());
    r.append(log, 2);
    BOOST_TEST(count(*reading, log) == 5);
    auto const opened = reading->open_stream("s", 1, {}, soon());  // as it is
    BOOST_TEST(opened.incarnation == log.incarnation);
}

BOOST_DATA_TEST_CASE(what_changes_something_is_refused, every_store(), kind) {
    rig r(kind);
    auto const log = r.make();
    r.append(log);
    auto const group = r.enroll(log).id;
    auto const reading = reader_of(r.url);
    auto const name = kind == "sqlite" ? r.directory / "test.db" : kind == "memory" ? r.url : std::string();
    for (auto const& call : std::vector<std::function<void()>>{
             [&] { reading->open_stream("t", 1, {}, soon()); },
             [&] {
                 reading->open_stream("s", {}, retention{milliseconds(1), {}, {}}, soon());
             },
             [&] { reading->delete_stream("s", log.incarnation, soon()); },
             [&] { reading->clear_stream(log.incarnation, soon()); },
             [&] {
                 reading->register_group({log, "h"}, start_position::earliest, false, soon());
             },
             [&] { reading->delete_group(log.incarnation, "g", soon()); },
             [&] { rig::append_with(*reading, log); },
             [&] {
                 rig::write_with<seal_result>(*reading, seal_request{log, 1});
             },
             [&] {
                 rig::write_with<trim_result>(*reading, trim_request{log, 1});
             },
             [&] {
                 rig::write_with<acquire_result>(*reading,
                                                 acquire_request{group, "owner", "id", milliseconds(10'000), {}});
             },
         }) {
        std::string text;
        auto const code = code_of(call, &text);
        BOOST_TEST((code == errc::read_only), code.message() << ": " << text);
        BOOST_TEST(text.find("database '" + name) == 0, text);
    }
    auto const mismatch = code_of([&] { reading->open_stream("s", 2, {}, soon()); });
    BOOST_TEST((mismatch == errc::partition_mismatch));
    reading->maintain(soon());
    BOOST_TEST(!reading->maintenance_due());
    BOOST_TEST(r.db->list_groups(log.incarnation, soon()).size() == 1U);
    BOOST_TEST(r.state(log).end.offset == 1);
}

BOOST_AUTO_TEST_SUITE_END()
