// A custom strategy that takes messages out of order: the even values, sorted, in windows of three. Odd ones are
// discarded. (The example of the Python package's documentation.)
#include <algorithm>
#include <minibatch.hpp>
#include <utility>

#include "run.hpp"

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

class sorted_window : public minibatch::window_emitter {
  public:
    explicit sorted_window(std::size_t size) : size_(size) {}

    minibatch::readiness window_ready(std::span<minibatch::message const> pending, minibatch::time_point) override {
        minibatch::readiness answer;
        std::vector<std::pair<std::int64_t, std::int64_t>> even;  // value, offset
        for (auto const& message : pending) {
            auto const value = message.data().at("value").to_number<std::int64_t>();
            if (value % 2 == 0)
                even.emplace_back(value, message.offset());
            else
                answer.discard.push_back(message.offset());
        }
        answer.ready = even.size() >= size_;
        if (!answer.ready) return answer;
        std::ranges::sort(even);
        for (std::size_t i = 0; i < size_; ++i) answer.take.push_back(even[i].second);
        return answer;
    }

    // What the window's data() is: here the values alone, instead of the documents.
    json::array query(std::span<minibatch::message const> taken) override {
        json::array values;
        for (auto const& message : taken) values.push_back(message.data().at("value"));
        return values;
    }

  private:
    std::size_t size_;
};

asio::awaitable<void> append(minibatch::stream numbers, std::vector<std::int64_t> values) {
    std::vector<json::object> batch;
    for (auto const value : values) batch.push_back(json::object{{"value", value}});
    co_await numbers.append(batch);  // all of them become visible at the same moment
}

asio::awaitable<void> show_next(minibatch::consumer from) {
    auto window = co_await from.next_window();
    std::cout << window->data() << " of the offsets";
    for (auto const& message : window->messages()) std::cout << ' ' << message.offset();
    std::cout << '\n';
    co_await window->commit();
}

asio::awaitable<void> show() {
    auto const db = co_await minibatch::connect("memory:");
    auto numbers = co_await minibatch::stream::get_or_create(db, "numbers");
    auto consumer = co_await numbers.consume(std::make_shared<sorted_window>(3));

    std::vector<std::int64_t> const first{7, 12, 9, 4, 1, 8, 6, 3, 10, 2, 5, 14};
    co_await append(numbers, first);
    co_await show_next(consumer);
    co_await show_next(consumer);
    std::vector<std::int64_t> const second{16, 0};
    co_await append(numbers, second);  // 14 has been waiting for two more
    co_await show_next(consumer);
}

}  // namespace

int main() { return run(show()); }
