// A child of a program that has a database open: what it inherited fails at once, and letting go of it leaves the
// parent alone. The threads are not in the child, so that without care it would wait for them for ever.

#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>
#include <iostream>
#include <minibatch.hpp>

#include "support/child_process.hpp"
#include "support/coroutine.hpp"
#include "support/temporary_directory.hpp"

using namespace std::chrono_literals;
namespace asio = boost::asio;
namespace json = boost::json;
using minibatch::errc;
using minibatch::test::in_child;

BOOST_AUTO_TEST_SUITE(after_fork)

namespace {

json::value const document = json::object{{"a", 1}};

/// All that a program may hold of a database.
struct handles {
    minibatch::database db;
    minibatch::stream stream;
    minibatch::producer producer;
    minibatch::consumer consumer;
    std::optional<minibatch::window> window;
};

asio::awaitable<handles> hold(std::string url) {
    handles all;
    all.db = co_await minibatch::connect(url);
    all.stream = co_await minibatch::stream::get_or_create(all.db, "s");
    co_await all.stream.append(document);
    minibatch::producer_options const slow{.batch_size = 100, .linger = 1h};
    all.producer = all.stream.make_producer(slow);
    co_await all.producer.append(document);  // buffered, and its timer runs
    all.consumer = co_await all.stream.consume(minibatch::count_window(1));
    all.window = co_await all.consumer.next_window();
    BOOST_REQUIRE(all.window->data().size() == 1U);
    co_return all;
}

template <class Operation>
asio::awaitable<bool> refused(char const* name, Operation operation) {
    try {
        co_await operation();
    } catch (minibatch::error const& problem) {
        if (problem.code() == errc::forked) co_return true;
        std::cerr << name << ": " << problem.what() << '\n';
        co_return false;
    }
    std::cerr << name << " was not refused\n";
    co_return false;
}

asio::awaitable<void> try_all(handles& all, bool& good) {
    auto stream = all.stream;
    auto check = [&good](char const* name, auto operation) -> asio::awaitable<void> {
        auto const right = co_await refused(name, std::move(operation));
        good = good && right;
    };
    std::vector<json::value> const batch{document, document};
    auto producer = stream.make_producer();
    minibatch::window& window = *all.window;
    std::vector<std::pair<char const*, std::function<asio::awaitable<void>()>>> operations;
    auto add = [&](char const* name, auto operation) {
        operations.emplace_back(name, [operation]() -> asio::awaitable<void> { co_await operation(); });
    };
    add("append", [&] { return stream.append(document); });
    add("append of a range", [&] { return stream.append(batch); });
    add("append_json", [&] { return stream.append_json("{}"); });
    add("append to a new producer", [&] { return producer.append(document); });
    add("append to a producer", [&] { return all.producer.append(document); });
    add("flush", [&] { return all.producer.flush(); });
    add("consume", [&] { return stream.consume(minibatch::count_window(1)); });
    add("next_window", [&] { return all.consumer.next_window(); });
    add("stop", [&] { return all.consumer.stop()(asio::use_awaitable); });
    add("commit", [&] { return window.commit(); });
    add("fail", [&] { return window.fail("why"); });
    add("peek", [&] { return stream.peek(0, 0, 1); });
    add("info", [&] { return stream.info(); });
    add("clear", [&] { return stream.clear(); });
    add("streams", [&] { return all.db.streams(); });
    add("find_stream", [&] { return all.db.find_stream("s"); });
    add("delete_stream", [&] { return all.db.delete_stream("s"); });
    add("delete_group", [&] { return all.db.delete_group("s", "default"); });
    add("get_or_create", [&] { return minibatch::stream::get_or_create(all.db, "t"); });
    add("take_unwritten", [&]() -> asio::awaitable<void> {
        static_cast<void>(all.producer.take_unwritten());
        co_return;
    });
    for (auto& [name, operation] : operations) co_await check(name, operation);
}

/// What the child does. 0: all as it should be.
int use_and_let_go(handles& all) {
    asio::io_context own;
    bool good = true;
    bool ended = false;
    asio::co_spawn(own, try_all(all, good), [&](std::exception_ptr problem) { ended = !problem; });
    own.run();
    all = {};
    return good && ended ? 0 : 1;
}

}  // namespace

COROUTINE_TEST(what_a_child_inherited_is_refused) {
    minibatch::test::temporary_directory const directory;
    for (auto const& url : {std::string("memory:"), "sqlite:" + (directory / "test.db")}) {
        auto all = co_await hold(url);
        BOOST_TEST(in_child([&] { return use_and_let_go(all); }) == 0);
        // Nothing has happened to the parent's.
        co_await all.window->commit();
        co_await all.producer.flush();
        auto next = co_await all.consumer.next_window();
        BOOST_TEST(next->id() == "default/0/1-1");
        co_await next->commit();
        auto const info = co_await all.stream.info();
        BOOST_TEST(info.groups.at(0).lag == 0);
    }
}

// Whatever the threads do at the moment of the fork, and whatever locks they hold.
COROUTINE_TEST(a_fork_at_any_moment) {
    minibatch::test::temporary_directory const directory;
    auto const executor = co_await asio::this_coro::executor;
    for (auto const& url : {std::string("memory:"), "sqlite:" + (directory / "test.db?synchronous=normal")}) {
        auto all = co_await hold(url);
        int running = 0;
        bool enough = false;
        auto append = [&]() -> asio::awaitable<void> {
            while (!enough) co_await all.stream.append(document);
            --running;
        };
        for (; running < 50; ++running) asio::co_spawn(executor, append, asio::detached);
        for (int i = 0; i < 20; ++i) {
            co_await all.stream.append(document);
            BOOST_TEST(in_child([&] { return use_and_let_go(all); }) == 0);
        }
        enough = true;
        while (running > 0) co_await all.stream.append(document);
        co_await all.window->commit();
    }
}

// The thread sanitizer's own bookkeeping ends a forked child that starts threads.
#ifndef __SANITIZE_THREAD__
COROUTINE_TEST(a_child_may_open_the_database_anew) {
    minibatch::test::temporary_directory const directory;
    auto const url = "sqlite:" + (directory / "test.db");
    auto all = co_await hold(url);
    auto child = [&] {
        asio::io_context own;
        bool good = false;
        auto use = [&]() -> asio::awaitable<void> {
            auto const db = co_await minibatch::connect(url);
            auto stream = co_await db.find_stream("s");
            std::int64_t const offset = co_await stream.append(document);
            good = offset == 1;
        };
        asio::co_spawn(own, use, asio::detached);
        own.run();
        return good ? 0 : 1;
    };
    BOOST_TEST(in_child(child) == 0);
    std::int64_t const offset = co_await all.stream.append(document);
    BOOST_TEST(offset == 2);
}
#endif

BOOST_AUTO_TEST_SUITE_END()
