#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <csignal>
#include <random>
#include <set>

#include "reliability/worker.hpp"

namespace minibatch::test {
namespace {

strategy strategy_of(std::string const& text) {
    auto const colon = text.find(':');
    auto const kind = text.substr(0, colon);
    auto const size = std::stoll(text.substr(colon + 1));
    if (kind == "count") return count_window(size);
    if (kind == "relaxed") return relaxed_time_window(milliseconds(size));
    if (kind == "fixed") return fixed_time_window(milliseconds(size));
    throw std::invalid_argument("no such strategy: " + text);
}

std::int64_t count_of(std::string const& text) { return text.starts_with("count:") ? std::stoll(text.substr(6)) : 1; }

class consuming : public std::enable_shared_from_this<consuming> {
  public:
    consuming(job const& given, asio::any_io_executor const& executor)
        : given_(given),
          out_(given.report_path),
          terminate_(executor, SIGTERM),
          go_on_(executor, SIGUSR1),
          hold_(given.number("hold", 0) != 0),
          drain_(given.number("drain", 0) != 0),
          in_flight_(static_cast<int>(given.number("in_flight", 1))),
          random_(static_cast<unsigned>(given.run)) {}

    asio::awaitable<void> run() {
        auto const executor = co_await asio::this_coro::executor;
        auto const kind = given_.text("strategy", "count:10");
        numbers_ = co_await open_numbers(given_);
        // All partitions together may have so many messages left when no full window is left.
        rest_ = (count_of(kind) - 1) * numbers_.partitions();
        if (drain_) co_await begin_draining(count_of(kind));
        consumer_options options;
        options.keep = given_.number("keep", 0) != 0;
        options.max_in_flight = in_flight_;
        options.lease = milliseconds(given_.number("lease", 300));
        auto how = strategy_of(kind);
        consumer_ = co_await numbers_.consume(how, options);
        terminate_.async_wait([this](error_code const& failed, int) {
            if (!failed) consumer_.stop();
        });
        while (true) {
            auto window = co_await consumer_.next_window();
            if (!window) break;
            // With several in flight they are committed in any order.
            asio::co_spawn(executor, handle(shared_from_this(), std::move(*window)), [](std::exception_ptr problem) {
                if (problem) std::rethrow_exception(problem);
            });
        }
        terminate_.cancel();
    }

  private:
    asio::awaitable<void> begin_draining(std::int64_t count) {
        std::set<int> filled;
        for (std::int64_t next = 0; filled.size() < static_cast<std::size_t>(numbers_.partitions()); next += count) {
            auto const where = co_await append_numbers(numbers_, out_, "range", 0, next, next + count - 1);
            filled.insert(where.partition);
        }
    }

    /// `self` stays for as long as a window is in hand, which may be longer than the loop.
    asio::awaitable<void> handle(std::shared_ptr<consuming> self, window received) {
        auto const run_and_id = std::to_string(given_.run) + ' ' + received.id();
        out_.line("delivered " + run_and_id + ' ' + describe(received));
        if (hold_) co_await go_on_.async_wait(asio::use_awaitable);
        auto const executor = co_await asio::this_coro::executor;
        // Its work: a moment in which it may be killed, or with several in flight be overtaken by others.
        asio::steady_timer work(executor, std::chrono::microseconds(random_() % 3000));
        if (!drain_) co_await work.async_wait(asio::use_awaitable);
        out_.line("committing " + run_and_id);
        std::string ended = "committed " + run_and_id;
        try {
            co_await received.commit();
        } catch (error const& problem) {
            if (problem.code() == errc::fenced)
                ended = "fenced " + run_and_id + ' ' + problem.what();
            else if (problem.code() == errc::outcome_unknown)
                ended.clear();  // as if it had been killed in the middle of it
            else
                throw;
        }
        if (!ended.empty()) out_.line(ended);
        if (self->drain_) co_await stop_if_done(received.partition());
    }

    asio::awaitable<void> stop_if_done(int partition) {
        held_.insert(partition);
        if (held_.size() < static_cast<std::size_t>(numbers_.partitions())) co_return;
        auto const now = co_await numbers_.info();
        if (now.groups.at(0).lag <= rest_) consumer_.stop(drain::flush);
    }

    static std::string describe(window const& received) {
        std::vector<numbered> messages;
        for (auto const& each : received.messages()) messages.push_back(from_message(each));
        auto const time = [](time_point at) { return std::to_string(at.time_since_epoch().count()) + ' '; };
        return std::to_string(received.partition()) + ' ' + std::to_string(received.attempt()) + ' ' +
               time(received.start()) + time(received.end()) + std::string(to_string(received.reason())) + ' ' +
               to_word(messages);
    }

    job const& given_;
    report const out_;
    asio::signal_set terminate_;
    asio::signal_set go_on_;
    bool const hold_;
    bool const drain_;
    int const in_flight_;
    std::mt19937 random_;
    stream numbers_;
    consumer consumer_;
    std::int64_t rest_ = 0;
    std::set<int> held_;  // partitions of which it has had a window, and so the lease
};

}  // namespace

asio::awaitable<void> consume(job const& given) {
    auto const executor = co_await asio::this_coro::executor;
    auto const all = std::make_shared<consuming>(given, executor);
    co_await all->run();
}

}  // namespace minibatch::test
