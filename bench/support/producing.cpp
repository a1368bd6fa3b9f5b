#include "support/producing.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <minibatch.hpp>

#include "support/clock.hpp"
#include "support/coroutine.hpp"
#include "support/documents.hpp"
#include "support/options.hpp"

namespace bench {
namespace {

asio::awaitable<void> produce_into(std::string url, std::int64_t first, std::int64_t count, std::int64_t start,
                                   span_of_time& result) {
    auto const db = co_await minibatch::connect(url);
    auto stream = co_await minibatch::stream::get_or_create(db, "readings");
    documents source;
    auto producer = stream.make_producer();
    if (start != 0) {
        require(nanoseconds() < start, "the producer was ready when it was to begin");
        asio::steady_timer timer(co_await asio::this_coro::executor);
        timer.expires_at(std::chrono::steady_clock::time_point(std::chrono::nanoseconds(start)));
        co_await timer.async_wait(asio::use_awaitable);
    }
    result.begin = nanoseconds();
    for (std::int64_t n = first; n < first + count; ++n) co_await producer.append(source[n]);
    co_await producer.flush();
    result.end = nanoseconds();
}

}  // namespace

span_of_time produce(std::string const& url, std::int64_t first, std::int64_t count, std::int64_t start) {
    span_of_time result;
    run(produce_into(url, first, count, start, result));
    return result;
}

double producer_rate(std::string const& url, std::int64_t count) {
    return static_cast<double>(count) / produce(url, 0, count).seconds();
}

}  // namespace bench
