#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <minibatch.hpp>

#include "support/chosen_stores.hpp"
#include "support/coroutine.hpp"
#include "support/temporary_directory.hpp"

using namespace std::chrono_literals;
namespace asio = boost::asio;
namespace json = boost::json;
using minibatch::errc;

BOOST_AUTO_TEST_SUITE(end_to_end)

namespace {

json::value reading(int value) { return json::object{{"value", value}}; }

std::vector<std::int64_t> values(minibatch::window const& window) {
    std::vector<std::int64_t> found;
    for (auto const& document : window.data()) found.push_back(document.at("value").to_number<std::int64_t>());
    return found;
}

/// Empty databases, one on each of the chosen stores.
std::vector<std::string> urls(minibatch::test::temporary_directory const& directory) {
    std::vector<std::string> found;
    for (auto const& store : minibatch::test::chosen_stores())
        found.push_back(minibatch::test::empty_database(store, directory.path()));
    return found;
}

asio::awaitable<errc> code_of(asio::awaitable<void> operation) {
    try {
        co_await std::move(operation);
    } catch (minibatch::error const& problem) {
        co_return static_cast<errc>(problem.code().value());
    }
    co_return errc{};
}

}  // namespace

COROUTINE_TEST(append_and_count_window) {
    minibatch::test::temporary_directory const directory;
    for (auto const& url : urls(directory)) {
        auto const db = co_await minibatch::connect(url);
        auto stream = co_await minibatch::stream::get_or_create(db, "readings");
        for (int i = 0; i < 25; ++i) {
            auto const document = reading(i);
            std::int64_t const offset = co_await stream.append(document);
            BOOST_TEST(offset == i);
        }
        auto consumer = co_await stream.consume(minibatch::count_window(10));
        for (int n = 0; n < 2; ++n) {
            auto window = co_await consumer.next_window();
            BOOST_REQUIRE(window.has_value());
            BOOST_TEST(window->size() == 10U);
            BOOST_TEST(values(*window).front() == n * 10);
            BOOST_TEST(window->attempt() == 1);
            BOOST_TEST(window->id() == "default/0/" + std::to_string(n * 10) + "-" + std::to_string(n * 10 + 9));
            co_await window->commit();
        }
        auto const info = co_await stream.info();
        BOOST_REQUIRE(info.groups.size() == 1U);
        BOOST_TEST(info.groups[0].lag == 5);
        co_await consumer.stop();
        BOOST_TEST(!(co_await consumer.next_window()).has_value());
    }
}

COROUTINE_TEST(waiting_consumer_is_woken) {
    minibatch::test::temporary_directory const directory;
    for (auto const& url : urls(directory)) {
        auto const db = co_await minibatch::connect(url);
        auto stream = co_await minibatch::stream::get_or_create(db, "readings");
        auto consumer = co_await stream.consume(minibatch::count_window(1));
        for (int i = 0; i < 200; ++i) {
            auto const document = reading(i);
            co_await stream.append(document);
            auto window = co_await consumer.next_window();
            BOOST_REQUIRE(window.has_value());
            BOOST_TEST(values(*window).at(0) == i);
            co_await window->commit();
        }
    }
}

COROUTINE_TEST(two_handles_on_one_database) {
    minibatch::test::temporary_directory const directory;
    auto const url = urls(directory).back();
    auto const first = co_await minibatch::connect(url);
    auto const second = co_await minibatch::connect(url);
    auto writer = co_await minibatch::stream::get_or_create(first, "readings");
    auto reader = co_await minibatch::stream::get_or_create(second, "readings");
    auto consumer = co_await reader.consume(minibatch::count_window(2));
    for (int i = 0; i < 100; ++i) {
        auto const document = reading(i);
        co_await writer.append(document);
        if (i % 2 == 0) continue;
        auto window = co_await consumer.next_window();
        BOOST_TEST(values(*window).at(1) == i);
        co_await window->commit();
    }
}

COROUTINE_TEST(an_uncommitted_window_comes_again) {
    minibatch::test::temporary_directory const directory;
    for (auto const& url : urls(directory)) {
        auto const db = co_await minibatch::connect(url);
        auto stream = co_await minibatch::stream::get_or_create(db, "readings");
        std::vector<json::value> const batch{reading(0), reading(1)};
        co_await stream.append(batch);
        auto consumer = co_await stream.consume(minibatch::count_window(2));
        std::string id;
        {
            auto window = co_await consumer.next_window();
            id = window->id();
        }  // never looked at: the same attempt
        {
            auto window = co_await consumer.next_window();
            BOOST_TEST(window->id() == id);
            BOOST_TEST(window->attempt() == 1);
            BOOST_TEST(window->data().size() == 2U);
        }  // looked at: a failure
        auto window = co_await consumer.next_window();
        BOOST_TEST(window->id() == id);
        BOOST_TEST(window->attempt() == 2);
        co_await window->fail("on purpose", 0ms);
        auto again = co_await consumer.next_window();
        BOOST_TEST(again->attempt() == 3);
        co_await again->commit();
        auto second = again->commit();
        auto const outcome = co_await code_of(std::move(second));
        BOOST_TEST((outcome == errc::window_closed));
    }
}

COROUTINE_TEST(the_loser_of_a_race_loses_no_window) {
    using namespace asio::experimental::awaitable_operators;
    minibatch::test::temporary_directory const directory;
    for (auto const& url : urls(directory)) {
        auto const db = co_await minibatch::connect(url);
        auto stream = co_await minibatch::stream::get_or_create(db, "readings");
        auto consumer = co_await stream.consume(minibatch::count_window(1));
        asio::steady_timer timer(co_await asio::this_coro::executor);
        for (int i = 0; i < 100; ++i) {
            timer.expires_after(std::chrono::microseconds(i * 5));
            auto const document = reading(i);
            co_await stream.append(document);
            auto const outcome = co_await (consumer.next_window() || timer.async_wait(asio::use_awaitable));
            if (outcome.index() == 0) {
                auto window = std::move(const_cast<std::optional<minibatch::window>&>(std::get<0>(outcome)));
                BOOST_TEST(values(*window).at(0) == i);
                co_await window->commit();
            } else {
                auto window = co_await consumer.next_window();
                BOOST_TEST(values(*window).at(0) == i);
                BOOST_TEST(window->attempt() == 1);
                co_await window->commit();
            }
        }
    }
}

COROUTINE_TEST(standby_takes_over_when_the_holder_stops) {
    minibatch::test::temporary_directory const directory;
    for (auto const& url : urls(directory)) {
        auto const db = co_await minibatch::connect(url);
        auto stream = co_await minibatch::stream::get_or_create(db, "readings");
        auto first = co_await stream.consume(minibatch::count_window(1));
        auto const document = reading(1);
        co_await stream.append(document);
        auto window = co_await first.next_window();
        BOOST_REQUIRE(window.has_value());
        auto second = co_await stream.consume(minibatch::count_window(1));
        co_await window->commit();
        first.stop();
        BOOST_TEST(!(co_await first.next_window()).has_value());
        co_await stream.append(document);
        auto next = co_await second.next_window();
        BOOST_TEST(next->id() == "default/0/1-1");
        BOOST_TEST(next->attempt() == 1);
        co_await next->commit();
    }
}

COROUTINE_TEST(time_windows) {
    minibatch::test::temporary_directory const directory;
    for (auto const& url : urls(directory)) {
        auto const db = co_await minibatch::connect(url);
        auto stream = co_await minibatch::stream::get_or_create(db, "readings");
        auto fixed = co_await stream.consume(minibatch::fixed_time_window(50ms), {.group = "fixed"});
        auto relaxed = co_await stream.consume(minibatch::relaxed_time_window(50ms), {.group = "relaxed"});
        auto aged =
            co_await stream.consume(minibatch::count_window(100) || minibatch::max_age(30ms), {.group = "aged"});
        for (int i = 0; i < 5; ++i) {
            auto const document = reading(i);
            co_await stream.append(document);
        }
        for (std::size_t seen = 0; seen < 5;) {
            auto window = co_await fixed.next_window();
            BOOST_TEST(((window->end() - window->start()) == 50ms));
            BOOST_TEST(window->start().time_since_epoch().count() % 50 == 0);
            for (auto const& message : window->messages()) {
                BOOST_TEST((message.created() >= window->start() && message.created() < window->end()));
            }
            seen += window->size();
            co_await window->commit();
        }
        for (std::size_t seen = 0; seen < 5;) {
            auto window = co_await relaxed.next_window();
            seen += window->size();
            co_await window->commit();
        }
        for (std::size_t seen = 0; seen < 5;) {
            auto window = co_await aged.next_window();
            BOOST_TEST((window->reason() == minibatch::window_reason::timeout));
            seen += window->size();
            co_await window->commit();
        }
    }
}

COROUTINE_TEST(producer_buffers_and_flushes) {
    minibatch::test::temporary_directory const directory;
    for (auto const& url : urls(directory)) {
        auto const db = co_await minibatch::connect(url);
        auto stream = co_await minibatch::stream::get_or_create(db, "readings");
        auto producer = stream.make_producer({.batch_size = 100});
        for (int i = 0; i < 2'050; ++i) {
            auto const document = reading(i);
            co_await producer.append(document);
        }
        co_await producer.flush();
        auto const info = co_await stream.info();
        BOOST_TEST(info.messages == 2'050);
        auto consumer = co_await stream.consume(minibatch::count_window(500), {.max_in_flight = 3});
        for (int n = 0; n < 4; ++n) {
            auto window = co_await consumer.next_window();
            BOOST_TEST(values(*window).front() == n * 500);
            co_await window->commit();
        }
        consumer.stop(minibatch::drain::flush);
        auto last = co_await consumer.next_window();
        BOOST_REQUIRE(last.has_value());
        BOOST_TEST(last->size() == 50U);
        BOOST_TEST((last->reason() == minibatch::window_reason::flush));
        co_await last->commit();
        BOOST_TEST(!(co_await consumer.next_window()).has_value());
    }
}

COROUTINE_TEST(streaming_runs_and_repeats_after_an_exception) {
    minibatch::test::temporary_directory const directory;
    for (auto const& url : urls(directory)) {
        auto const db = co_await minibatch::connect(url);
        auto stream = co_await minibatch::stream::get_or_create(db, "readings");
        for (int i = 0; i < 20; ++i) {
            auto const document = reading(i);
            co_await stream.append(document);
        }
        for (int workers : {1, 4}) {
            std::stop_source stop;
            std::vector<std::int64_t> handled;
            int calls = 0;
            minibatch::streaming_options options{.size = 2,
                                                 .keep = true,
                                                 .max_workers = workers,
                                                 .group = "g" + std::to_string(workers),
                                                 .stop = stop.get_token()};
            auto handler = [&](minibatch::window& window) -> asio::awaitable<void> {
                if (++calls == 3) throw std::runtime_error("on purpose");
                for (auto value : values(window)) handled.push_back(value);
                if (handled.size() == 20) stop.request_stop();
                co_return;
            };
            co_await minibatch::streaming(db, "readings", options, handler);
            std::sort(handled.begin(), handled.end());
            BOOST_REQUIRE(handled.size() == 20U);
            for (int i = 0; i < 20; ++i) BOOST_TEST(handled[static_cast<std::size_t>(i)] == i);
            BOOST_TEST(calls == 11);
        }
    }
}

COROUTINE_TEST(errors_name_the_thing) {
    minibatch::test::temporary_directory const directory;
    for (auto const& url : urls(directory)) {
        auto const db = co_await minibatch::connect(url);
        auto stream = co_await minibatch::stream::get_or_create(db, "readings");
        auto const bad = json::value(17);
        auto [code, where] = co_await stream.append(bad, asio::as_tuple(asio::use_awaitable));
        BOOST_TEST((code == errc::invalid_document));
        std::string text;
        try {
            co_await minibatch::stream::get_or_create(db, "a/b");
        } catch (minibatch::error const& problem) {
            BOOST_TEST((problem.code() == errc::invalid_name));
            text = problem.what();
        }
        BOOST_TEST(text.find("a/b") != std::string::npos);
        co_await db.delete_stream("readings");
        auto const good = reading(1);
        auto [gone, nowhere] = co_await stream.append(good, asio::as_tuple(asio::use_awaitable));
        BOOST_TEST((gone == errc::stream_deleted));
    }
}

BOOST_AUTO_TEST_SUITE_END()
