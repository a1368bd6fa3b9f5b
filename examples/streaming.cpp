// The consumer loop as one call: the handler returns, and its window is committed; it throws, and the window comes
// again.
//   streaming
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <minibatch.hpp>

#include "run.hpp"

namespace asio = boost::asio;
using namespace asio::experimental::awaitable_operators;

namespace {

asio::steady_timer* all_stored = nullptr;

/// What your program does with a window. Here it fails once, and ends the program after the second window.
asio::awaitable<void> store_somewhere(boost::json::array const& readings) {
    static int calls = 0;
    std::cout << readings.size() << " readings, the last: " << readings.back() << '\n';
    if (++calls == 1) throw std::runtime_error("the store does not answer");
    if (calls == 3) all_stored->cancel();
    co_return;
}

asio::awaitable<void> consume(minibatch::database db) {
    auto const store = [](minibatch::window& window) -> asio::awaitable<void> {
        co_await store_somewhere(window.data());
    };
    co_await minibatch::streaming(db, "readings", {.size = 5}, store);
}

asio::awaitable<void> wait(asio::steady_timer& until) {
    boost::system::error_code ignored;
    co_await until.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

asio::awaitable<void> produce_and_consume() {
    auto const db = co_await minibatch::connect("memory:");
    auto readings = co_await minibatch::stream::get_or_create(db, "readings");
    for (int i = 0; i < 10; ++i) {
        boost::json::object const reading{{"sensor", "roof"}, {"celsius", 20 + i}};
        co_await readings.append(reading);
    }
    asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
    all_stored = &timer;
    co_await (consume(db) || wait(timer));
}

}  // namespace

int main() { return run(produce_and_consume()); }
