#include "support/waiting.hpp"

#include "support/clock.hpp"
#include "support/coroutine.hpp"
#include "support/options.hpp"
#include "support/report.hpp"

namespace bench {
namespace {

asio::awaitable<void> wait_for_nothing(minibatch::consumer consumer) {
    auto const window = co_await consumer.next_window();
    require(!window, "nothing comes where nothing was appended");
}

asio::awaitable<void> open_all(minibatch::database database, std::vector<minibatch::consumer>& into) {
    auto const windows = minibatch::count_window(100);
    minibatch::consumer_options const how;
    for (std::size_t i = 0; i < into.size(); ++i) {
        auto const name = "readings-" + std::to_string(i);
        auto stream = co_await minibatch::stream::get_or_create(database, name);
        into[i] = co_await stream.consume(windows, how);
    }
}

}  // namespace

waiting_consumers::waiting_consumers(minibatch::database const& database) : all_(100) {
    run(open_all(database, all_));
    for (auto const& each : all_) spawn(context_, wait_for_nothing(each));
    context_.run_for(std::chrono::seconds(2));  // until each has its lease
}

waiting_consumers::~waiting_consumers() {
    for (auto& each : all_) each.stop();
    context_.run();
}

double waiting_consumers::processor_share(std::chrono::seconds duration) {
    auto const before = processor_seconds(RUSAGE_SELF);
    stopwatch const watch;
    context_.run_for(duration);
    return (processor_seconds(RUSAGE_SELF) - before) / watch.seconds();
}

void print_waiting(std::string const& claim, double share) {
    print({claim, fixed(100 * share, 2) + " % of a core", "limit", "1 %", fixed(share / 0.01, 2), "< 1", share < 0.01});
}

}  // namespace bench
