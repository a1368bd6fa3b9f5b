#include <sys/mman.h>
#include <unistd.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <csignal>
#include <cstdio>
#include <string>
#include <utility>

#include "tool/exit_code.hpp"
#include "tool/input_format.hpp"
#include "tool/session.hpp"
#include "tool/signal_watch.hpp"
#include "tool/standard_streams.hpp"

namespace {

using namespace minibatch::tool;

asio::awaitable<int> run(session& in, command what) {
    if (auto* append = std::get_if<append_options>(&what)) co_return co_await run_append(in, std::move(*append));
    if (auto* consume = std::get_if<consume_options>(&what)) co_return co_await run_consume(in, std::move(*consume));
    if (auto* peek = std::get_if<peek_options>(&what)) co_return co_await run_peek(in, std::move(*peek));
    if (auto* info = std::get_if<info_options>(&what)) co_return co_await run_info(in, std::move(*info));
    if (auto* gone = std::get_if<delete_options>(&what)) co_return co_await run_delete(in, std::move(*gone));
    if (auto* group = std::get_if<delete_group_options>(&what))
        co_return co_await run_delete_group(in, std::move(*group));
    co_return co_await run_streams(in);
}

/// Says why the command has ended. Returns its exit code.
int report(std::exception_ptr const& thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (output_closed const&) {
        return exit_output_closed;
    } catch (minibatch::error const& problem) {
        complain(problem.what());
        return exit_code_of(problem.code());
    } catch (wrong_format const& problem) {
        complain(problem.what());
        return exit_wrong_use;
    } catch (std::exception const& problem) {
        complain(problem.what());
        return exit_failed;
    }
}

/// MongoDB's C driver makes a file of counters in /dev/shm, named by the process, before `main` begins. A process that
/// is killed would leave it behind, and the next process with its number would warn of it.
void leave_no_counters_behind() { ::shm_unlink(("/mongoc-" + std::to_string(::getpid())).c_str()); }

/// Help, the version, or what is wrong with the arguments.
int print(early_exit const& what) try {
    std::fputs(what.err.c_str(), stderr);
    write_out(what.out);
    return what.code;
} catch (...) {
    return report(std::current_exception());
}

}  // namespace

int main(int argc, char** argv) try {
    occupy_closed_descriptors();
    std::signal(SIGPIPE, SIG_IGN);
    leave_no_counters_behind();
    auto parsed = parse_command_line(argc, argv);
    if (auto const* leave = std::get_if<early_exit>(&parsed)) return print(*leave);
    auto& line = std::get<command_line>(parsed);

    int code = exit_failed;
    {
        asio::io_context context(1);
        session in(line.db, line.timeout);
        signal_watch const signals(context, [&in](int number) { in.stop(number); });
        auto ended = [&code](std::exception_ptr const& thrown, int result) { code = thrown ? report(thrown) : result; };
        asio::co_spawn(context, run(in, std::move(line.what)), asio::bind_cancellation_slot(in.cancel.slot(), ended));
        context.run();
        in.close(code);
    }
    return code;
} catch (std::exception const& problem) {
    // No thread, descriptor or memory could be had for the tool itself.
    complain(problem.what());
    return exit_failed;
}
