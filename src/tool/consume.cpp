#include <boost/asio/this_coro.hpp>
#include <boost/json/serialize.hpp>

#include "tool/idle_watch.hpp"
#include "tool/session.hpp"

namespace minibatch::tool {
namespace {

strategy strategy_of(consume_options const& options) {
    auto const base = [&]() -> strategy {
        if (options.size) return count_window(*options.size);
        if (!options.fixed) return relaxed_time_window(*options.interval, {.emit_empty = false});
        fixed_time_options fixed;
        fixed.emit_empty = !options.no_empty;
        return fixed_time_window(*options.interval, fixed);
    };
    auto how = base();
    if (options.max_age) how = how || max_age(*options.max_age);
    if (options.max_bytes) how = how || max_bytes(*options.max_bytes);
    return how;
}

template <class Number>
std::string number_or_null(std::optional<Number> const& value) {
    return value ? std::to_string(*value) : "null";
}

/// One line of JSON; the documents are put in as they are stored.
std::string line_of(window const& w) {
    std::string out = "{\"window\":" + boost::json::serialize(boost::json::string(w.id())) +
                      ",\"stream\":" + boost::json::serialize(boost::json::string(w.stream())) +
                      ",\"partition\":" + std::to_string(w.partition()) + ",\"first\":" + number_or_null(w.first()) +
                      ",\"last\":" + number_or_null(w.last()) + ",\"count\":" + std::to_string(w.size()) +
                      ",\"start\":" + std::to_string(w.start().time_since_epoch().count()) +
                      ",\"end\":" + std::to_string(w.end().time_since_epoch().count()) + ",\"reason\":\"" +
                      std::string(to_string(w.reason())) + "\",\"attempt\":" + std::to_string(w.attempt()) +
                      ",\"data\":[";
    bool first = true;
    for (auto const& message : w.messages()) {
        if (!std::exchange(first, false)) out += ',';
        out += message.text();
    }
    out += "]}\n";
    return out;
}

}  // namespace

asio::awaitable<int> run_consume(session& in, consume_options options) {
    auto const how = strategy_of(options);
    auto const db = co_await in.connect(true);
    auto source = co_await stream::get_or_create(db, options.stream);
    consumer_options consuming;
    consuming.group = options.group;
    consuming.keep = options.keep;
    consuming.max_in_flight = static_cast<int>(options.max_in_flight);
    consuming.start = options.from == start_at::latest ? start::latest : start::earliest;
    auto from = co_await source.consume(how, consuming);

    auto const remainder = options.flush ? drain::flush : drain::release;
    auto const stop = [&from, remainder] { from.stop(remainder); };
    in.on_stop = stop;
    if (in.stopping) stop();
    std::optional<idle_watch> idle;
    if (options.idle_exit)
        idle.emplace(co_await asio::this_coro::executor, source, options.group, *options.idle_exit, stop);

    std::int64_t windows = 0;
    std::exception_ptr problem;
    try {
        for (;;) {
            auto taken = co_await from.next_window();
            if (!taken) break;
            write_out(line_of(*taken));
            if (idle && !taken->empty()) idle->restart();
            co_await taken->commit();
            if (idle && !taken->empty()) idle->restart();
            if (++windows == options.max_windows) break;
        }
    } catch (...) {
        problem = std::current_exception();
    }
    idle.reset();
    in.on_stop = nullptr;
    from.stop();
    if (problem) std::rethrow_exception(problem);
    co_return exit_done;
}

}  // namespace minibatch::tool
