#include <atomic>
#include <future>
#include <minibatch.hpp>

#include "mongo/support.hpp"
#include "support/certificates.hpp"
#include "support/coroutine.hpp"
#include "support/mongo_command.hpp"
#include "support/tcp_proxy.hpp"

using namespace minibatch;
using namespace minibatch::test;

BOOST_AUTO_TEST_SUITE(refusals)

namespace {

/// What opening ended with; the password of none of the URLs may show.
outcome opening(std::string const& url, milliseconds timeout = milliseconds(4'000)) {
    log_lines said;
    open_options options;
    options.timeout = timeout;
    options.log = said.callback();
    auto const got = outcome_of([&] { open_store(url, options); });
    for (auto const& text : {got.text, said.all()}) {
        BOOST_TEST(!holds(text, mongo_server::password), text);
        BOOST_TEST(!holds(text, "wr0ng"), text);
    }
    return got;
}

std::string host_of(mongo_server const& server) { return "127.0.0.1:" + std::to_string(server.port()); }

/// A group of a new stream with one message: it holds the lease, and has that message to commit.
struct holder {
    group_id id;
    std::int64_t epoch;
    progress next;
};

holder holder_of_one_message(minibatch::store::store& db, milliseconds time) {
    log_id const log{db.open_stream("s", 1, {}, within(time)).incarnation, 0};
    append(db, log, R"({"a":1})", time);
    group_id const id{log, "g"};
    db.register_group(id, start_position::earliest, false, within(time));
    auto const held =
        write<acquire_result>(db, acquire_request{id, "owner", "id", milliseconds(30'000), {}}, within(time));
    auto next = held.state;
    next.low = 1;
    next.low_number = 1;
    return {id, held.held.epoch, next};
}

}  // namespace

BOOST_AUTO_TEST_CASE(credentials_and_rights) {
    mongo_server const server({.auth = true});
    server.add_user("reader", "correct-horse-2", R"([{"role": "read", "db": "d"}])");
    server.add_user("stranger", "correct-horse-3", R"([{"role": "readWrite", "db": "elsewhere"}])");

    auto const wrong = opening(server.url_for(mongo_server::user, "wr0ng", "d"));
    BOOST_TEST((wrong.code == errc::access_denied), wrong.text);
    BOOST_TEST(holds(wrong.text, "MongoDB at " + host_of(server)), wrong.text);
    BOOST_TEST(holds(wrong.text, "connect"), wrong.text);
    auto const nobody = opening("mongodb://" + host_of(server) + "/d?directConnection=true");
    BOOST_TEST((nobody.code == errc::access_denied), nobody.text);
    auto const stranger = opening(server.url_for("stranger", "correct-horse-3", "d"));
    BOOST_TEST((stranger.code == errc::access_denied), stranger.text);
    BOOST_TEST(holds(stranger.text, "database 'd'"), stranger.text);

    // Without authSource in the URL, users are those of admin.
    auto const plain = std::string("mongodb://") + mongo_server::user + ":" + mongo_server::password + "@" +
                       host_of(server) + "/d?directConnection=true";
    auto const owner = opened(plain);
    auto const stream = owner->open_stream("s", 1, {}, within(milliseconds(5'000)));
    log_id const log{stream.incarnation, 0};
    append(*owner, log, R"({"a":1})", milliseconds(5'000));

    auto const reader = opened(server.url_for("reader", "correct-horse-2", "d"));
    auto const same = reader->open_stream("s", {}, {}, within(milliseconds(5'000)));
    BOOST_TEST(same.incarnation == stream.incarnation);
    BOOST_TEST(documents_of(*reader, log).size() == 1u);
    BOOST_TEST(reader->list_streams(within(milliseconds(5'000))).size() == 1u);
    auto const denied = [&](char const* operation, auto const& action) {
        auto const began = std::chrono::steady_clock::now();
        auto const got = outcome_of(action);
        BOOST_TEST((got.code == errc::access_denied), operation << ": " << got.text);
        BOOST_TEST(holds(got.text, host_of(server)), got.text);
        BOOST_TEST(holds(got.text, operation), got.text);
        BOOST_TEST(!holds(got.text, "correct-horse"), got.text);
        BOOST_TEST((std::chrono::steady_clock::now() - began < milliseconds(4'000)));
    };
    denied("append", [&] { append(*reader, log, "{}", milliseconds(5'000)); });
    denied("register group", [&] {
        reader->register_group({log, "g"}, start_position::earliest, false, within(milliseconds(5'000)));
    });
    denied("create stream", [&] { reader->open_stream("other", 1, {}, within(milliseconds(5'000))); });
    denied("delete stream", [&] { reader->delete_stream("s", stream.incarnation, within(milliseconds(5'000))); });
    BOOST_TEST(documents_of(*owner, log).size() == 1u);
}

/// What a consumer of the store says in its log, of a server that it logs in to again and again.
BOOST_AUTO_TEST_CASE(no_credentials_in_the_log) {
    mongo_server server({.auth = true});
    log_lines said;
    open_options options;
    options.log = said.callback();
    tcp_proxy proxy(server.port());
    auto url = server.url_for(mongo_server::user, mongo_server::password, "d");
    auto const port = std::to_string(server.port());
    url.replace(url.find(port), port.size(), std::to_string(proxy.port()));
    auto const db = open_store(url, options);
    log_id const log{db->open_stream("s", 1, {}, within(milliseconds(5'000))).incarnation, 0};
    std::promise<void> woken;
    std::atomic<int> calls = 0;
    auto const subscribed = db->watch([&] {
        if (++calls == 2) woken.set_value();
    });
    proxy.refuse();
    proxy.close_connections();
    BOOST_TEST((woken.get_future().wait_for(std::chrono::seconds(20)) == std::future_status::ready));
    // Another account has the password changed underneath.
    mongo_command(server.url_for(mongo_server::user, mongo_server::password, "admin"),
                  R"({"updateUser": ")" + std::string(mongo_server::user) + R"(", "pwd": "an0ther"})");
    proxy.restore();
    auto const denied = outcome_of([&] { append(*db, log, "{}", milliseconds(5'000)); });
    BOOST_TEST((denied.code == errc::access_denied), denied.text);
    for (auto const& text : {denied.text, said.all()}) BOOST_TEST(!holds(text, mongo_server::password), text);
}

/// The connection breaks off while it is logged in: nobody has been refused.
BOOST_AUTO_TEST_CASE(interrupted_login) {
    mongo_server const server({.auth = true});
    for (std::string const step : {"saslStart", "saslContinue"}) {
        tcp_proxy proxy(server.port());
        proxy.on_message(on_nth(step, 1, action::close));
        auto url = server.url_for(mongo_server::user, mongo_server::password, "d");
        auto const port = std::to_string(server.port());
        url.replace(url.find(port), port.size(), std::to_string(proxy.port()));
        auto const got = opening(url);
        BOOST_TEST(!got.code, step << ": " << got.text);
        BOOST_TEST(proxy.counts().cut == 1u);
    }
}

BOOST_AUTO_TEST_CASE(tls) {
    constexpr milliseconds soon{1'000};  // for what cannot succeed
    certificates const files;
    mongo_server const server({.tls = &files});
    auto const address = "mongodb://" + host_of(server) + "/d?directConnection=true";
    BOOST_TEST((opening(server.url("d")).code == error_code()));
    auto const stranger = opening(address + "&tls=true&tlsCAFile=" + files.unknown_authority(), soon);
    BOOST_TEST((stranger.code == errc::unavailable), stranger.text);
    BOOST_TEST(holds(stranger.text, "certificate"), stranger.text);
    BOOST_TEST(holds(stranger.text, host_of(server)), stranger.text);
    auto const plain = opening(address, soon);
    BOOST_TEST((plain.code == errc::unavailable), plain.text);
    BOOST_TEST(holds(plain.text, "tls=true"), plain.text);
    auto const missing = opening(address + "&tls=true&tlsCAFile=/none/authority.pem");
    BOOST_TEST((missing.code == errc::invalid_url), missing.text);

    mongo_server const without;
    auto const wanted = opening(
        "mongodb://" + host_of(without) + "/d?directConnection=true&tls=true&tlsCAFile=" + files.authority(), soon);
    BOOST_TEST((wanted.code == errc::unavailable), wanted.text);
    BOOST_TEST(holds(wanted.text, "TLS"), wanted.text);
}

BOOST_AUTO_TEST_CASE(no_database_and_no_server) {
    mongo_server server;
    auto const url = server.url("");
    auto const unnamed = opening(url);
    BOOST_TEST((unnamed.code == errc::invalid_url), unnamed.text);
    BOOST_TEST(holds(unnamed.text, "no database is named"), unnamed.text);
    server.kill();
    open_options options;
    options.timeout = milliseconds(700);
    auto const began = std::chrono::steady_clock::now();
    auto const away = outcome_of([&] { open_store(server.url("d"), options); });
    BOOST_TEST((away.code == errc::unavailable), away.text);
    BOOST_TEST(holds(away.text, "MongoDB at " + host_of(server)), away.text);
    BOOST_TEST(holds(away.text, "connect"), away.text);
    BOOST_TEST((std::chrono::steady_clock::now() - began < milliseconds(3'000)));
    auto const nowhere = outcome_of([&] { open_store("mongodb://host.invalid/d", options); });
    BOOST_TEST((nowhere.code == errc::unavailable), nowhere.text);
    BOOST_TEST(holds(nowhere.text, "host.invalid"), nowhere.text);
}

BOOST_AUTO_TEST_CASE(names) {
    auto const db = opened(fresh_database_url());
    auto const time = milliseconds(5'000);
    for (std::string const name : {"", ".a", "-a", "a b", "a/b", "$a", "a\xc3\xa4", "!0", "system.x/"}) {
        BOOST_TEST((outcome_of([&] { db->open_stream(name, 1, {}, within(time)); }).code == errc::invalid_name), name);
    }
    auto const log = log_id{db->open_stream(std::string(120, 'a'), 1, {}, within(time)).incarnation, 0};
    BOOST_TEST(
        (outcome_of([&] { db->open_stream(std::string(121, 'a'), 1, {}, within(time)); }).code == errc::invalid_name));
    BOOST_TEST((outcome_of([&] {
                    db->register_group({log, "a b"}, start_position::earliest, false, within(time));
                }).code == errc::invalid_name));
    db->register_group({log, std::string(120, 'g')}, start_position::earliest, false, within(time));
    BOOST_TEST(db->list_groups(log.incarnation, within(time)).size() == 1u);
}

BOOST_AUTO_TEST_CASE(standalone_server) {
    mongo_server const server({.standalone = true});
    log_lines said;
    open_options options;
    options.log = said.callback();
    auto const time = milliseconds(5'000);
    auto const db = open_store(server.url("d"), options);
    auto const group = holder_of_one_message(*db, time);
    std::vector<document_write> const writes{{document_write::kind::insert, "c", "", 0, "{}"}};
    auto const refused = outcome_of([&] {
        write<minibatch::store::done>(*db, commit_request{group.id, group.epoch, group.next, writes}, within(time));
    });
    BOOST_TEST((refused.code == errc::unsupported), refused.text);
    BOOST_TEST(holds(refused.text, host_of(server)), refused.text);
    BOOST_TEST(holds(refused.text, "standalone"), refused.text);
    BOOST_TEST(holds(refused.text, "replica set"), refused.text);
    BOOST_TEST(db->read_collection("c", within(time)).empty());
    BOOST_TEST(db->list_groups(group.id.log.incarnation, within(time)).at(0).state.low == 0);
    write<minibatch::store::done>(*db, commit_request{group.id, group.epoch, group.next, {}}, within(time));
    BOOST_TEST(said.all() == "");
}

/// A document with the `_id` of another one stays out, whatever is tried; and so does all that goes with it.
BOOST_AUTO_TEST_CASE(duplicate_key_in_a_commit) {
    auto const db = opened(fresh_database_url());
    auto const time = milliseconds(20'000);
    auto const group = holder_of_one_message(*db, time);
    std::vector<document_write> const writes{{document_write::kind::insert, "c", "", 0, R"({"_id":"k","n":1})"},
                                             {document_write::kind::insert, "c", "", 0, R"({"_id":"k","n":2})"}};
    auto const began = std::chrono::steady_clock::now();
    auto const refused = outcome_of([&] {
        write<minibatch::store::done>(*db, commit_request{group.id, group.epoch, group.next, writes}, within(time));
    });
    BOOST_TEST((refused.code == errc::store_failure), refused.text);
    BOOST_TEST(holds(refused.text, "commit"), refused.text);
    BOOST_TEST(holds(refused.text, "duplicate key"), refused.text);
    BOOST_TEST((std::chrono::steady_clock::now() - began < milliseconds(5'000)));
    BOOST_TEST(db->read_collection("c", within(time)).empty());
    BOOST_TEST(db->list_groups(group.id.log.incarnation, within(time)).at(0).state.low == 0);
}

/// Consumers of a standalone server get what another handle appends, by a poll that is spoken of once.
COROUTINE_TEST(consumers_poll_a_standalone_server) {
    auto const server = std::make_unique<mongo_server>(mongo_server_options{.standalone = true});
    log_lines said;
    connect_options options;
    options.log = said.callback();
    auto const url = server->url("d");
    auto const here = co_await connect(url, options);
    auto const there = co_await connect(url);
    std::string const name = "s";
    auto const strategy = count_window(1);
    {
        auto from = co_await stream::get_or_create(here, name);
        auto other = co_await stream::get_or_create(here, std::string("other"));
        auto to = co_await stream::get_or_create(there, name);
        auto consumer = co_await from.consume(strategy);
        auto second = co_await other.consume(strategy);
        for (int i = 0; i < 5; ++i) {
            boost::json::object const document{{"i", i}};
            co_await to.append(document);
            auto const began = std::chrono::steady_clock::now();
            auto window = co_await consumer.next_window();
            BOOST_TEST((std::chrono::steady_clock::now() - began < milliseconds(2'000)));
            BOOST_REQUIRE(window);
            BOOST_TEST(window->data().at(0).at("i").as_int64() == i);
            co_await window->commit();
        }
    }
    BOOST_TEST(said.with("no change streams") == 1, said.all());
}

BOOST_AUTO_TEST_SUITE_END()
