#include "support/arrivals.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <minibatch.hpp>

#include "support/clock.hpp"
#include "support/coroutine.hpp"
#include "support/documents.hpp"
#include "support/options.hpp"

namespace bench {
namespace {

/// Appends that begin without waiting for one another.
struct arrivals {
    minibatch::stream stream;
    std::int64_t first = 0;
    double rate = 0;
    std::vector<double> latencies;
    documents source;
};

asio::awaitable<void> append_one(arrivals& of, std::size_t index, std::int64_t due) {
    auto const number = of.first + static_cast<std::int64_t>(index);
    std::int64_t const offset = co_await of.stream.append(of.source[number]);
    of.latencies[index] = static_cast<double>(nanoseconds() - due) / 1e6;
    require(offset == number, "the appends become durable in the order in which they began");
}

asio::awaitable<void> begin_each(asio::io_context& context, arrivals& of) {
    // Others get their turn after so many, however late this is.
    constexpr std::size_t at_once = 64;
    asio::steady_timer timer(co_await asio::this_coro::executor);
    auto const start = nanoseconds() + 1'000'000;
    for (std::size_t i = 0; i < of.latencies.size(); ++i) {
        auto const due = start + static_cast<std::int64_t>(static_cast<double>(i) * 1e9 / of.rate);
        if (nanoseconds() < due) {
            timer.expires_at(std::chrono::steady_clock::time_point(std::chrono::nanoseconds(due)));
            co_await timer.async_wait(asio::use_awaitable);
        } else if (i % at_once == 0) {
            co_await asio::post(asio::use_awaitable);
        }
        spawn(context, append_one(of, i, due));
    }
}

}  // namespace

std::vector<double> append_at_rate(minibatch::stream const& stream, std::int64_t first, std::int64_t count,
                                   double rate) {
    arrivals of{.stream = stream,
                .first = first,
                .rate = rate,
                .latencies = std::vector<double>(static_cast<std::size_t>(count)),
                .source = {}};
    asio::io_context context(1);
    spawn(context, begin_each(context, of));
    context.run();
    return std::move(of.latencies);
}

}  // namespace bench
