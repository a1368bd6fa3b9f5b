#include <minibatch/streaming.hpp>

#include "api/streaming_loop.hpp"

namespace minibatch::detail {
namespace {

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

}  // namespace

void start_streaming(database db, std::string name, streaming_options options, window_handler handler,
                     completion<> done) {
    std::optional<strategy> how;
    try {
        how = strategy_of(options);
    } catch (error const& problem) {
        operation<>(std::move(done)).fail(problem);
        return;
    }
    std::make_shared<streaming_loop>(std::move(db), std::move(name), std::move(*how), std::move(options),
                                     std::move(handler), std::move(done))
        ->start();
}

}  // namespace minibatch::detail
