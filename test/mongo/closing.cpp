#include <chrono>
#include <future>
#include <minibatch.hpp>

#include "mongo/support.hpp"
#include "support/coroutine.hpp"
#include "support/tcp_proxy.hpp"

using namespace minibatch;
using namespace minibatch::test;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

/// Ending while the server is away takes seconds, whatever the time-outs.
BOOST_AUTO_TEST_SUITE(closing)

COROUTINE_TEST(closes_while_the_server_is_away) {
    mongo_server server;
    steady_clock::time_point began;
    {
        auto const url = server.url("d");
        auto const db = co_await connect(url);
        std::string const name = "s";
        auto numbers = co_await stream::get_or_create(db, name);
        auto const strategy = count_window(1);
        auto consumer = co_await numbers.consume(strategy);
        co_await numbers.append_json("{\"a\":1}");
        auto window = co_await consumer.next_window();
        co_await window->commit();
        window.reset();
        server.kill();
        began = steady_clock::now();
        consumer.stop();
        auto const none = co_await consumer.next_window();
        BOOST_TEST(!none.has_value());
    }
    BOOST_TEST((steady_clock::now() - began < 8s));
}

BOOST_AUTO_TEST_CASE(ends_calls_in_progress) {
    mongo_server server;
    tcp_proxy proxy(server.port());
    auto const db = open_store("mongodb://127.0.0.1:" + std::to_string(proxy.port()) + "/d");
    auto const stream = db->open_stream("s", 1, {}, within(10s));
    log_id const log{stream.incarnation, 0};
    append(*db, log, "{}", 10s);
    proxy.blackhole();
    std::vector<std::future<outcome>> calls;
    auto const call = [&](auto action) {
        calls.push_back(std::async(std::launch::async, [action] { return outcome_of(action); }));
    };
    call([&] { append(*db, log, "{}", 60s); });
    call([&] { db->read(log, 0, {}, within(60s)); });
    call([&] { db->list_streams(within(60s)); });
    for (auto& each : calls) BOOST_TEST((each.wait_for(100ms) == std::future_status::timeout));
    auto const began = steady_clock::now();
    db->limit_calls(began + 100ms);
    call([&] { db->state(log, within(60s)); });
    for (auto& each : calls) {
        auto const got = each.get();
        BOOST_TEST((got.code == errc::unavailable || got.code == errc::outcome_unknown), got.text);
    }
    BOOST_TEST((steady_clock::now() - began < 5s));
}

BOOST_AUTO_TEST_SUITE_END()
