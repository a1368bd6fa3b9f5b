#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <boost/json/serialize.hpp>

#include "tool/exit_code.hpp"
#include "tool/idle_watch.hpp"
#include "tool/session.hpp"
#include "tool/standard_streams.hpp"

namespace minibatch::tool {
namespace {

strategy strategy_of(consume_options const& options) {
    auto const base = [&]() -> strategy {
        if (options.size) return count_window(*options.size);
        if (!options.fixed) return relaxed_time_window(*options.interval, {.emit_empty = false});
        fixed_time_options fixed;
        fixed.offset = options.window_offset;
        fixed.time_zone = options.time_zone;
        fixed.emit_empty = !options.no_empty;
        return fixed_time_window(*options.interval, fixed);
    };
    auto how = base();
    if (options.max_age) how = how || max_age(*options.max_age);
    if (options.max_bytes) how = how || max_bytes(*options.max_bytes);
    return how;
}

idle_rule rule_of(consume_options const& options) {
    idle_rule rule{*options.idle_exit, options.size, options.interval};
    if (options.max_age) rule.closes_after = std::min(*options.max_age, options.interval.value_or(*options.max_age));
    if (options.flush) rule.closes_after.reset();  // what is open then is printed, closed or not
    return rule;
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

/// The next window; empty when the consumer has drained. Outages are waited for until the time-out, or a signal.
asio::awaitable<std::optional<window>> next_window(session& in, consumer& from, bool flush) {
    auto const call = [&]() -> asio::awaitable<std::optional<window>> {
        std::optional<error> problem;
        try {
            co_return co_await from.next_window();
        } catch (error const& failed) {
            problem = failed;
        }
        bool const outage = exit_code_of(problem->code()) == exit_try_again;
        if (!outage) throw error(*problem);
        // A lease that cannot be released now expires; but what was to be flushed would be missing.
        if (in.stopping() && !flush) co_return std::nullopt;
        // What is unknown is whether the lease was renewed, for example: it is tried again.
        throw problem->code() == errc::outcome_unknown ? error(errc::unavailable, problem->what()) : error(*problem);
    };
    co_return co_await in.persist(call);
}

}  // namespace

asio::awaitable<int> run_consume(session& in, consume_options options) {
    auto const how = strategy_of(options);
    if (!options.max_windows && !options.idle_exit) in.endless();
    auto const db = co_await in.connect(true);
    auto const open = [&] { return stream::get_or_create(db, options.stream); };
    auto source = co_await in.persist(open);
    consumer_options consuming;
    consuming.group = options.group;
    consuming.keep = options.keep;
    consuming.max_in_flight = static_cast<int>(options.max_in_flight);
    consuming.start = options.from == start_at::latest ? start::latest : start::earliest;
    auto const join = [&]() -> asio::awaitable<consumer> {
        in.on_stop = [] {};  // from here on the lease may be ours, and is to be released
        try {
            co_return co_await source.consume(how, consuming);
        } catch (...) {
            in.on_stop = nullptr;
            throw;
        }
    };
    auto from = co_await in.persist(join);

    auto const remainder = options.flush ? drain::flush : drain::release;
    auto const stop = [&from, remainder] { from.stop(remainder); };
    in.on_stop = stop;
    if (in.stopping()) stop();
    auto const executor = co_await asio::this_coro::executor;
    std::optional<idle_watch> idle;
    if (options.idle_exit) idle.emplace(executor, source, options.group, rule_of(options), stop);

    std::int64_t windows = 0;
    std::exception_ptr problem;
    try {
        while (windows != options.max_windows) {
            auto taken = co_await next_window(in, from, options.flush);
            if (!taken) break;
            write_out(line_of(*taken));
            if (idle && !taken->empty()) idle->restart();
            auto const commit = [&] { return taken->commit(); };
            co_await in.persist(commit);
            if (idle && !taken->empty()) idle->restart();
            ++windows;
        }
    } catch (...) {
        problem = std::current_exception();
    }
    bool const all_windows = windows == options.max_windows;
    bool const left_idle = idle && idle->expired();
    bool const work_left = left_idle && idle->work_left();
    idle.reset();
    in.on_stop = [] {};
    from.stop();
    if (problem) std::rethrow_exception(problem);
    if (all_windows) co_return exit_done;
    if (left_idle) co_return work_left ? exit_failed : exit_done;
    co_return in.stopping() ? in.stopped_code() : exit_done;
}

}  // namespace minibatch::tool
