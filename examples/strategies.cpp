// Every windowing strategy on the same stream: a week of earthquakes, sent within a second. Each strategy has a group
// of its own, so that each sees all messages.
//   strategies [FEED [URL]]
#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <map>
#include <minibatch.hpp>

#include "earthquakes.hpp"
#include "run.hpp"

namespace asio = boost::asio;
namespace json = boost::json;
using namespace std::chrono_literals;
using namespace asio::experimental::awaitable_operators;

namespace {

double magnitude(json::value const& document) { return document.at("mag").to_number<double>(); }

/// A custom strategy: a window ends with each strong earthquake, and holds all that led up to it.
class until_strong : public minibatch::window_emitter {
  public:
    explicit until_strong(double least) : least_(least) {}

    minibatch::readiness window_ready(std::span<minibatch::message const> pending, minibatch::time_point) override {
        minibatch::readiness answer;
        for (auto const& message : pending) {
            answer.take.push_back(message.offset());
            if (message.offset() < looked_at_) continue;
            looked_at_ = message.offset() + 1;
            if (magnitude(message.data()) < least_) continue;
            answer.ready = true;
            break;
        }
        return answer;
    }

  private:
    double least_;
    std::int64_t looked_at_ = 0;  // so that no message is decoded twice; lost in a restart, which does no harm
};

asio::awaitable<void> produce(minibatch::stream quakes, std::vector<json::value> const& feed) {
    auto producer = quakes.make_producer();
    asio::steady_timer pause(co_await asio::this_coro::executor);
    for (std::size_t i = 0; i < feed.size(); ++i) {
        co_await producer.append(feed[i]);
        if (i % 100 != 99) continue;
        pause.expires_after(50ms);
        co_await pause.async_wait(asio::use_awaitable);
    }
    co_await producer.flush();
}

/// Takes windows until `wanted` messages have been in them, and says what they were like.
asio::awaitable<void> show(minibatch::stream quakes, std::string group, std::string title, minibatch::strategy how,
                           std::size_t wanted, minibatch::drain remainder = minibatch::drain::release) {
    minibatch::consumer_options const options{.group = group, .keep = true};
    auto consumer = co_await quakes.consume(how, options);
    std::size_t windows = 0;
    std::size_t messages = 0;
    std::size_t largest = 0;
    std::map<std::string, int> reasons;
    while (auto window = co_await consumer.next_window()) {
        ++windows;
        messages += window->size();
        largest = std::max(largest, window->size());
        ++reasons[std::string(to_string(window->reason()))];
        co_await window->commit();
        if (messages >= wanted) consumer.stop(remainder);
    }
    std::cout << title << "\n    " << messages << " messages in " << windows << " windows, the largest of " << largest
              << ";";
    for (auto const& [reason, count] : reasons) std::cout << ' ' << reason << ": " << count;
    std::cout << '\n';
}

asio::awaitable<void> compare(std::string path, std::string url) {
    auto const feed = read_earthquakes(path);
    auto const all = feed.size();
    auto const db = co_await minibatch::connect(url);
    auto const quakes = co_await minibatch::stream::get_or_create(db, "quakes");

    // Windows of time are seen best while messages arrive.
    minibatch::fixed_time_options const without_empty{.emit_empty = false};
    auto const fixed = minibatch::fixed_time_window(250ms, without_empty);
    auto const relaxed = minibatch::relaxed_time_window(300ms);
    co_await (produce(quakes, feed) && show(quakes, "fixed", "fixed_time_window(250ms)", fixed, all) &&
              show(quakes, "relaxed", "relaxed_time_window(300ms)", relaxed, all));

    // 1,500 are in full windows; what is left is asked for when the consumer stops.
    auto const full = all / 500 * 500;
    co_await show(quakes, "count", "count_window(500), the remainder flushed", minibatch::count_window(500), full,
                  minibatch::drain::flush);
    co_await show(quakes, "triggers", "count_window(56) || max_bytes(14 KiB) || max_age(200ms)",
                  minibatch::count_window(56) || minibatch::max_bytes(14 * 1024) || minibatch::max_age(200ms), all);

    auto const last_strong =
        std::find_if(feed.rbegin(), feed.rend(), [](auto const& document) { return magnitude(document) >= 5; });
    auto const until_last = static_cast<std::size_t>(feed.rend() - last_strong);
    co_await show(quakes, "strong", "custom: up to each earthquake of magnitude 5 or more",
                  std::make_shared<until_strong>(5), until_last);
}

}  // namespace

int main(int count, char** arguments) {
    return run(compare(count > 1 ? arguments[1] : MINIBATCH_FEED, count > 2 ? arguments[2] : "memory:"));
}
