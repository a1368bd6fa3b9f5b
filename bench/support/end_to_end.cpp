#include "support/end_to_end.hpp"

#include <array>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <minibatch.hpp>
#include <mutex>
#include <thread>

#include "support/clock.hpp"
#include "support/coroutine.hpp"
#include "support/documents.hpp"
#include "support/options.hpp"
#include "support/report.hpp"

namespace bench {
namespace {

/// Lets the producer go on by so many documents; asked for and granted in steps, on different threads.
class allowance {
  public:
    explicit allowance(std::int64_t lead) : left_(lead) {}

    boost::asio::awaitable<void> take(std::int64_t documents) {
        boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
        for (;;) {
            {
                std::lock_guard const lock(mutex_);
                waiting_ = nullptr;
                if (left_ >= documents) {
                    left_ -= documents;
                    co_return;
                }
                timer.expires_at(std::chrono::steady_clock::time_point::max());
                waiting_ = &timer;
            }
            boost::system::error_code woken;
            co_await timer.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, woken));
        }
    }
    void grant(std::int64_t documents) {
        std::lock_guard const lock(mutex_);
        left_ += documents;
        if (!waiting_ || left_ < step) return;
        boost::asio::post(waiting_->get_executor(), [timer = waiting_] { timer->cancel(); });
        waiting_ = nullptr;
    }
    static constexpr std::int64_t step = 1000;

  private:
    std::mutex mutex_;
    std::int64_t left_;
    boost::asio::steady_timer* waiting_ = nullptr;
};

boost::asio::awaitable<void> produce(minibatch::stream stream, std::int64_t count, allowance& allowed) {
    documents source;
    auto producer = stream.make_producer();
    for (std::int64_t n = 0; n < count; ++n) {
        if (n % allowance::step == 0) co_await allowed.take(allowance::step);
        co_await producer.append(source[n]);
    }
    co_await producer.flush();
}

struct consumed {
    std::vector<bool> seen;  // windows
    std::int64_t committed = 0;
    double sum = 0;
};

boost::asio::awaitable<void> consume(minibatch::consumer consumer, consumed& result, allowance& allowed) {
    // Not in use while a coroutine is suspended, so all coroutines of the thread share it.
    static thread_local std::array<unsigned char, 100'000> buffer;
    while (auto window = co_await consumer.next_window()) {
        auto number = window->first().value();
        require(window->size() == window_size && number % window_size == 0, "windows are whole");
        auto const at = static_cast<std::size_t>(number / window_size);
        require(!result.seen.at(at), "no window is delivered twice");
        result.seen[at] = true;
        boost::json::monotonic_resource memory(buffer.data(), buffer.size());
        for (auto const& document : window->decode(&memory)) {
            require(number_of(document) == number++, "the documents of a window are in order");
            result.sum += visit(document);
        }
        co_await window->commit();
        allowed.grant(window_size);
        if (++result.committed == static_cast<std::int64_t>(result.seen.size())) consumer.stop();
    }
}

struct opened {
    minibatch::stream stream;
    minibatch::consumer consumer;
};
boost::asio::awaitable<void> open(std::string url, int in_flight, opened& result) {
    auto const db = co_await minibatch::connect(url);
    result.stream = co_await minibatch::stream::get_or_create(db, "readings");
    minibatch::consumer_options how;
    how.max_in_flight = in_flight;
    auto const windows = minibatch::count_window(window_size);
    result.consumer = co_await result.stream.consume(windows, how);
}
boost::asio::awaitable<void> messages_left(minibatch::stream stream, std::int64_t& result) {
    result = (co_await stream.info()).messages;
}

}  // namespace

double end_to_end_rate(std::string const& url, std::int64_t count, int in_flight) {
    opened handles;
    run(open(url, in_flight, handles));
    consumed result;
    result.seen.resize(static_cast<std::size_t>(count / window_size));
    allowance allowed(producer_lead);
    stopwatch const watch;
    std::thread producing([&] { run(produce(handles.stream, count, allowed)); });
    asio::io_context context(1);
    for (int i = 0; i < in_flight; ++i) spawn(context, consume(handles.consumer, result, allowed));
    context.run();
    auto const rate = static_cast<double>(count) / watch.seconds();
    producing.join();
    require(result.committed * window_size == count, "everything was delivered and committed");
    std::int64_t left = 0;
    run(messages_left(handles.stream, left));
    note("messages left after trimming: " + std::to_string(left));
    return rate;
}

}  // namespace bench
