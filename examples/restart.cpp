// What becomes of a window when its process is killed while working on it: start it with --hang, kill it with SIGKILL,
// start it again without. Nothing is lost, and the window comes again under the same id.
//   restart URL [--hang]
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <minibatch.hpp>

#include "run.hpp"

namespace asio = boost::asio;
namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

constexpr int orders = 12;

asio::awaitable<void> append_orders(minibatch::stream stream) {
    std::vector<json::object> batch;
    for (int i = 0; i < orders; ++i) batch.push_back(json::object{{"order", i}});
    co_await stream.append(batch);
    std::cout << "appended " << orders << " orders" << std::endl;
}

asio::awaitable<void> work(std::string url, bool hang) {
    auto const db = co_await minibatch::connect(url);
    auto stream = co_await minibatch::stream::get_or_create(db, "orders");
    // Only the first start finds an empty stream; kept messages make that easy to tell.
    if ((co_await stream.info()).messages == 0) co_await append_orders(stream);

    // A shorter lease than usual, so that the second start need not wait long for the one of the killed process to end.
    minibatch::consumer_options const options{.group = "billing", .keep = true, .lease = 2s};
    auto consumer = co_await stream.consume(minibatch::count_window(4), options);
    while (auto window = co_await consumer.next_window()) {
        std::cout << "window " << window->id() << ", attempt " << window->attempt() << ":";
        for (auto const& document : window->data()) {
            auto const order = document.at("order").to_number<std::int64_t>();
            std::cout << ' ' << order << std::flush;
            if (!hang || order != 6) continue;
            std::cout << " … in the middle of it" << std::endl;
            asio::steady_timer forever(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
            co_await forever.async_wait(asio::use_awaitable);
        }
        co_await window->commit();
        std::cout << ", committed" << std::endl;
        if (window->last() == orders - 1) consumer.stop();
    }
}

}  // namespace

int main(int count, char** arguments) {
    if (count < 2) {
        std::cerr << "usage: restart URL [--hang]\n";
        return 2;
    }
    return run(work(arguments[1], count > 2 && std::string_view(arguments[2]) == "--hang"));
}
