// `next_window` in a race with something else, and what becomes of its errors there.

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <minibatch.hpp>

#include "support/coroutine.hpp"

using namespace std::chrono_literals;
using namespace boost::asio::experimental::awaitable_operators;
namespace asio = boost::asio;
using minibatch::errc;

BOOST_AUTO_TEST_SUITE(racing)

namespace {

/// A consumer of a stream that is not there any more: it has nothing but an error to tell.
asio::awaitable<minibatch::consumer> orphan() {
    auto const db = co_await minibatch::connect("memory:");
    auto stream = co_await minibatch::stream::get_or_create(db, "s");
    auto consumer = co_await stream.consume(minibatch::count_window(1));
    co_await db.delete_stream("s");
    errc found{};
    for (int i = 0; i < 2; ++i) {  // it lasts
        try {
            co_await consumer.next_window();
        } catch (minibatch::error const& problem) {
            found = static_cast<errc>(problem.code().value());
        }
        BOOST_TEST((found == errc::stream_deleted));
    }
    co_return consumer;
}

}  // namespace

// As docs/delivery.md says.
COROUTINE_TEST(the_or_operator_waits_for_a_success_and_drops_errors) {
    auto consumer = co_await orphan();
    asio::steady_timer timer(co_await asio::this_coro::executor);
    for (int i = 0; i < 3; ++i) {
        timer.expires_after(1ms);
        auto const outcome = co_await (consumer.next_window() || timer.async_wait(asio::use_awaitable));
        BOOST_TEST(outcome.index() == 1U);
    }
}

COROUTINE_TEST(an_error_that_is_a_value_wins_the_race) {
    auto consumer = co_await orphan();
    asio::steady_timer timer(co_await asio::this_coro::executor);
    timer.expires_after(1h);
    auto const outcome =
        co_await (consumer.next_window(asio::as_tuple(asio::use_awaitable)) || timer.async_wait(asio::use_awaitable));
    BOOST_REQUIRE(outcome.index() == 0U);
    BOOST_TEST((std::get<0>(std::get<0>(outcome)) == errc::stream_deleted));
}

// Nothing else keeps the context going, and it is gone as soon as the outcome has been taken: the thread sanitizer sees
// whether the thread that has brought it was still at it.
BOOST_AUTO_TEST_CASE(a_context_that_ends_with_its_last_operation) {
    minibatch::database db;
    minibatch::stream to;
    test::run([&]() -> asio::awaitable<void> {
        db = co_await minibatch::connect("memory:");
        to = co_await minibatch::stream::get_or_create(db, "s");
    });
    std::int64_t appended = 0;
    for (int i = 0; i < 2'000; ++i)
        test::run([&]() -> asio::awaitable<void> {
            co_await to.append_json("{}");
            ++appended;
        });
    BOOST_TEST(appended == 2'000);
}

BOOST_AUTO_TEST_SUITE_END()
