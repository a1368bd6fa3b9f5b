#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <exception>
#include <minibatch/streaming.hpp>
#include <vector>

namespace minibatch::detail {
namespace {

namespace asio = boost::asio;

strategy strategy_of(streaming_options const& options) {
    auto const refuse = [](char const* why) {
        throw error(errc::invalid_argument, std::string("streaming_options: ") + why);
    };
    if (options.max_workers < 1 || options.max_workers > 1000) refuse("max_workers must be between 1 and 1000");
    if (options.emitter && (options.size || options.interval)) refuse("emitter excludes size and interval");
    if (options.emitter) return *options.emitter;
    if (options.relaxed && !options.interval) refuse("relaxed needs an interval");
    if (options.relaxed && options.size) refuse("relaxed excludes size");
    if (options.size && options.interval) return count_window(*options.size) || max_age(*options.interval);
    if (options.size) return count_window(*options.size);
    if (!options.interval) refuse("one of size, interval and emitter is needed");
    if (options.relaxed) return relaxed_time_window(*options.interval, {.emit_empty = options.emit_empty});
    fixed_time_options fixed;
    fixed.emit_empty = options.emit_empty;
    return fixed_time_window(*options.interval, fixed);
}

bool outage(error const& problem) {
    auto const code = problem.code();
    return code == errc::unavailable || code == errc::timeout || code == errc::storage_full ||
           code == errc::store_failure || code == errc::outcome_unknown;
}

/// One worker: takes windows one after another until the consumer has drained.
asio::awaitable<void> work(consumer from, window_handler& handler) {
    for (;;) {
        std::optional<window> taken;
        try {
            taken = co_await from.next_window();
        } catch (error const& problem) {
            if (!outage(problem)) throw;
            continue;  // the consumer goes on by itself, with a back-off
        }
        if (!taken) co_return;
        std::optional<std::string> failure;
        try {
            co_await handler(*taken);
        } catch (std::exception const& problem) {
            failure = problem.what();
        }
        // A cancelled handler has failed, too, but its window must be let go without a wait.
        if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none) {
            throw error(error_code(asio::error::operation_aborted));
        }
        try {
            if (failure)
                co_await taken->fail(std::move(*failure));
            else
                co_await taken->commit();
        } catch (error const& problem) {
            // Fenced: somebody else delivers it now. Outage: it is delivered again when it is over.
            if (!outage(problem) && problem.code() != errc::fenced) throw;
        }
    }
}

}  // namespace

asio::awaitable<void> run_streaming(database db, std::string name, streaming_options options, window_handler handler) {
    auto const how = strategy_of(options);
    consumer_options consuming;
    consuming.group = options.group;
    consuming.keep = options.keep;
    consuming.max_in_flight = options.max_workers;
    auto source = co_await stream::get_or_create(db, std::move(name));
    auto from = co_await source.consume(how, consuming);

    std::stop_callback const on_stop(options.stop, [&from] { from.stop(); });
    if (options.max_workers == 1) {
        co_await work(from, handler);
        co_return;
    }
    // All workers end together: by draining, or by the first one's error, which cancels the others.
    auto const executor = co_await asio::this_coro::executor;
    auto const state = co_await asio::this_coro::cancellation_state;
    asio::steady_timer all_done(executor, asio::steady_timer::time_point::max());
    std::exception_ptr first;
    int running = options.max_workers;
    std::vector<std::unique_ptr<asio::cancellation_signal>> stops;
    for (int i = 0; i < options.max_workers; ++i) {
        stops.push_back(std::make_unique<asio::cancellation_signal>());
        asio::co_spawn(executor, work(from, handler),
                       asio::bind_cancellation_slot(stops.back()->slot(), [&](std::exception_ptr problem) {
                           if (problem && !first) {
                               first = problem;
                               for (auto const& stop : stops)
                                   asio::post(executor,
                                              [&stop = *stop] { stop.emit(asio::cancellation_type::terminal); });
                           }
                           if (--running == 0) all_done.cancel();
                       }));
    }
    while (running > 0) {
        boost::system::error_code ended;
        co_await all_done.async_wait(asio::redirect_error(asio::use_awaitable, ended));
        if (state.cancelled() != asio::cancellation_type::none) {
            co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
            for (auto const& stop : stops) stop->emit(asio::cancellation_type::terminal);
        }
    }
    if (first) std::rethrow_exception(first);
}

}  // namespace minibatch::detail
