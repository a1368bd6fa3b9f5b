#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "tool/appender.hpp"
#include "tool/exit_code.hpp"
#include "tool/standard_streams.hpp"

namespace minibatch::tool {
namespace {

/// How long what is in hand may take to be stored after a signal.
constexpr duration longest_drain{30'000};

/// Opens the stream and appends all input to it.
asio::awaitable<int> append_input(session& in, append_options const& options, append_tally& done) {
    auto const db = co_await in.connect(true);
    auto const open = [&] { return stream::get_or_create(db, options.stream); };
    auto target = co_await in.persist(open);
    auto const executor = co_await asio::this_coro::executor;
    background_reader reader(executor, options.files);
    asio::steady_timer drain(executor);
    in.on_stop = [&] {
        reader.stop();
        drain.expires_after(in.timeout().count() == 0 ? longest_drain : std::min(in.timeout(), longest_drain));
        drain.async_wait([&in](boost::system::error_code ended) {
            if (!ended) in.cancel.emit(asio::cancellation_type::terminal);
        });
    };
    appender work(in, options, std::move(target), reader, done);
    auto const code = co_await work.run();
    in.on_stop = [] {};
    if (code == exit_done) in.settled();
    co_return code;
}

}  // namespace

asio::awaitable<int> run_append(session& in, append_options options) {
    append_tally done;
    in.before_leaving = [&] {
        try {
            write_out(done.line(options));
        } catch (std::exception const&) {
            // The exit code tells that what was asked is not done.
        }
    };
    std::exception_ptr problem;
    int code = exit_failed;
    try {
        code = co_await append_input(in, options, done);
    } catch (...) {
        problem = std::current_exception();
    }
    in.on_stop = [] {};
    try {
        write_out(done.line(options));
    } catch (...) {
        if (!problem && code == exit_done) problem = std::current_exception();
    }
    if (problem) std::rethrow_exception(problem);
    co_return code;
}

}  // namespace minibatch::tool
