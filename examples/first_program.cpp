#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <iostream>
#include <minibatch.hpp>

namespace asio = boost::asio;
using namespace asio::experimental::awaitable_operators;

asio::awaitable<void> produce(minibatch::stream readings) {
    for (int i = 0; i < 10; ++i) {
        boost::json::object const reading{{"sensor", "roof"}, {"celsius", 20 + i}};
        co_await readings.append(reading);  // returns once it is durable
    }
}

asio::awaitable<void> consume(minibatch::stream readings) {
    auto consumer = co_await readings.consume(minibatch::count_window(5));
    for (int taken = 0; auto window = co_await consumer.next_window();) {
        std::cout << window->size() << " readings, the last: " << window->data().back() << '\n';
        co_await window->commit();  // until then the window would be delivered again
        if (++taken == 2) consumer.stop();
    }
}

asio::awaitable<void> run() {
    auto const db = co_await minibatch::connect("sqlite:first.db");
    auto const readings = co_await minibatch::stream::get_or_create(db, "readings");
    co_await (produce(readings) && consume(readings));
}

int main() {
    asio::io_context io;
    asio::co_spawn(io, run(), [](std::exception_ptr problem) {
        if (problem) std::rethrow_exception(problem);
    });
    io.run();
}
