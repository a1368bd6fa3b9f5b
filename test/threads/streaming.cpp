// `streaming` on a thread pool of eight.

#include <atomic>
#include <boost/asio/this_coro.hpp>
#include <latch>
#include <mutex>
#include <stop_token>
#include <thread>

#include "threads/support.hpp"

using namespace minibatch;
using namespace minibatch::test;

BOOST_AUTO_TEST_SUITE(streaming_on_threads)
namespace {

constexpr int workers_of[] = {1, 4};

error_code code_of(std::exception_ptr const& problem) {
    if (!problem) return {};
    try {
        std::rethrow_exception(problem);
    } catch (boost::system::system_error const& known) {
        return known.code();
    }
}

/// A stream with the readings 0 … count - 1, and what handlers have seen of them.
struct readings {
    readings(callers& pool, std::string const& url, int count) : from(pool), db(wait_for(from, connect(url))) {
        static int made = 0;
        name = "r" + std::to_string(made++);
        source = wait_for(from, stream::get_or_create(db, name));
        std::vector<boost::json::value> documents;
        for (int i = 0; i < count; ++i) documents.emplace_back(reading(i));
        wait_for(from, source.append(documents));
    }

    asio::awaitable<void> handle(window& each) {
        {
            std::lock_guard const lock(mutex);
            for (auto const& message : each.messages()) seen.push_back(value_of(message));
        }
        co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    }
    std::size_t count() {
        std::lock_guard const lock(mutex);
        return seen.size();
    }
    std::int64_t lag() {
        auto const info = wait_for(from, source.info());
        return info.groups.empty() ? info.messages : info.groups[0].lag;
    }
    bool all_seen(int expected) {
        std::set<std::int64_t> const distinct(seen.begin(), seen.end());
        return static_cast<int>(distinct.size()) == expected && *distinct.begin() == 0 &&
               *distinct.rbegin() == expected - 1;
    }

    callers& from;
    database db;
    std::string name;
    stream source;
    std::mutex mutex;
    std::vector<std::int64_t> seen;
};

}  // namespace

BOOST_AUTO_TEST_CASE(every_window_is_handled_once) {
    for_every_store(workers_of, [](std::string const& url, callers& from, int workers) {
        readings data(from, url, 400);
        std::stop_source stop;
        streaming_options const options{.size = 2, .keep = true, .max_workers = workers, .stop = stop.get_token()};
        std::latch meeting(2);
        std::atomic<int> calls = 0;
        auto handler = [&](window& each) -> asio::awaitable<void> {
            if (workers > 1 && calls++ < 2) meeting.arrive_and_wait();  // two of them run at the same time
            co_await data.handle(each);
            if (data.count() == 400) stop.request_stop();
        };
        wait_for(from, streaming(data.db, data.name, options, handler));
        BOOST_TEST(data.count() == 400U);
        BOOST_TEST(data.all_seen(400));
        BOOST_TEST(data.lag() == 0);
    });
}

// The handlers share a number without a lock.
BOOST_AUTO_TEST_CASE(handlers_take_turns_on_a_strand) {
    for_every_store(workers_of, [](std::string const& url, callers& from, int workers) {
        readings data(from, url, 200);
        std::stop_source stop;
        streaming_options const options{.size = 2, .keep = true, .max_workers = workers, .stop = stop.get_token()};
        int handled = 0;
        auto handler = [&](window& each) -> asio::awaitable<void> {
            co_await data.handle(each);
            handled += 2;
            if (handled == 200) stop.request_stop();
        };
        asio::co_spawn(asio::make_strand(from.pool), streaming(data.db, data.name, options, handler), asio::use_future)
            .get();
        BOOST_TEST(handled == 200);
        BOOST_TEST(data.all_seen(200));
    });
}

BOOST_AUTO_TEST_CASE(stopped_from_another_thread) {
    for_every_store(workers_of, [](std::string const& url, callers& from, int workers) {
        readings data(from, url, 200);
        std::size_t stop_at = 0;
        for (int runs = 0; runs == 0 || data.lag() > 0; ++runs) {
            std::stop_source stop;
            streaming_options const options{.size = 1, .keep = true, .max_workers = workers, .stop = stop.get_token()};
            auto handler = [&](window& each) { return data.handle(each); };
            auto running = asio::co_spawn(from.pool, streaming(data.db, data.name, options, handler), asio::use_future);
            while (data.count() < stop_at) std::this_thread::yield();
            stop.request_stop();
            running.get();
            stop_at = std::min<std::size_t>(200, data.count() + static_cast<std::size_t>(runs) * 5 + 1);
        }
        BOOST_TEST(data.count() == 200U);  // what was in hand was committed
        BOOST_TEST(data.all_seen(200));
    });
}

BOOST_AUTO_TEST_CASE(cancelled_from_another_thread) {
    for_every_store(workers_of, [](std::string const& url, callers& from, int workers) {
        readings data(from, url, 200);
        std::size_t cancel_at = 0;
        auto handler = [&](window& each) { return data.handle(each); };
        for (int runs = 0; runs < 10; ++runs) {
            streaming_options const options{.size = 1, .keep = true, .max_workers = workers};
            asio::cancellation_signal signal;
            std::promise<error_code> outcome;
            asio::any_io_executor where = from.pool.get_executor();
            if (runs % 2 == 0) where = asio::make_strand(from.pool);
            auto done = [&](std::exception_ptr problem) { outcome.set_value(code_of(problem)); };
            streaming(data.db, data.name, options, handler,
                      asio::bind_cancellation_slot(signal.slot(), asio::bind_executor(where, done)));
            while (data.count() < cancel_at) std::this_thread::yield();
            signal.emit(asio::cancellation_type::terminal);
            BOOST_TEST((outcome.get_future().get() == asio::error::operation_aborted));
            cancel_at = std::min<std::size_t>(data.count() + static_cast<std::size_t>(runs), 190);
        }
        std::stop_source stop;
        streaming_options const options{.size = 1, .keep = true, .max_workers = workers, .stop = stop.get_token()};
        auto running = asio::co_spawn(from.pool, streaming(data.db, data.name, options, handler), asio::use_future);
        while (data.lag() > 0) std::this_thread::yield();
        stop.request_stop();
        running.get();
        BOOST_TEST(data.all_seen(200));
    });
}

BOOST_AUTO_TEST_CASE(an_error_ends_all_workers) {
    for_every_store(workers_of, [](std::string const& url, callers& from, int workers) {
        readings data(from, url, 200);
        streaming_options const options{.size = 1, .keep = true, .max_workers = workers};
        auto handler = [&](window& each) { return data.handle(each); };
        std::promise<error_code> outcome;
        asio::co_spawn(from.pool, streaming(data.db, data.name, options, handler),
                       [&](std::exception_ptr problem) { outcome.set_value(code_of(problem)); });
        while (data.count() < 10) std::this_thread::yield();
        wait_for(from, data.db.delete_stream(data.name));
        BOOST_TEST((outcome.get_future().get() == errc::stream_deleted));
    });
}

BOOST_AUTO_TEST_SUITE_END()
