#include <sys/mman.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>

#include "tool/session.hpp"

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

/// Wrong use and bad input are 2; what may go better another time, or is gone, is 1.
int code_of(minibatch::error const& problem) {
    using minibatch::errc;
    auto const code = problem.code();
    for (auto wrong : {errc::invalid_argument, errc::invalid_url, errc::invalid_name, errc::invalid_document,
                       errc::document_too_large, errc::unsupported}) {
        if (code == wrong) return exit_wrong_use;
    }
    return exit_failed;
}

void report(int& code, std::exception_ptr thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (minibatch::error const& problem) {
        complain(problem.what());
        code = code_of(problem);
    } catch (std::exception const& problem) {
        complain(problem.what());
        code = exit_failed;
    }
}

/// Hears SIGINT and SIGTERM on a thread of its own: the main thread may be writing to somebody who does not read. The
/// first asks the command to finish, the second ends the program.
class signal_watch {
  public:
    signal_watch(asio::io_context& main, session& in) : main_(main), in_(in), signals_(own_, SIGINT, SIGTERM) {
        listen();
        thread_ = std::thread([this] { own_.run(); });
    }
    ~signal_watch() {
        own_.stop();
        thread_.join();
    }
    signal_watch(signal_watch const&) = delete;
    signal_watch& operator=(signal_watch const&) = delete;

  private:
    void listen() {
        signals_.async_wait([this](boost::system::error_code failed, int) {
            if (failed) return;
            if (std::exchange(heard_, true)) std::_Exit(exit_interrupted_twice);
            asio::post(main_, [&in = in_] { in.stop(); });
            listen();
        });
    }

    asio::io_context& main_;
    session& in_;
    asio::io_context own_{1};
    asio::signal_set signals_;
    bool heard_ = false;
    std::thread thread_;
};

/// The C driver of MongoDB, before `main`, begins a file of counters in /dev/shm named by the process, which one that
/// is killed would leave behind, and which the next process with this number would then complain of.
void leave_no_counters_behind() { ::shm_unlink(("/mongoc-" + std::to_string(::getpid())).c_str()); }

}  // namespace

int main(int argc, char** argv) try {
    std::signal(SIGPIPE, SIG_IGN);
    leave_no_counters_behind();
    auto parsed = parse_command_line(argc, argv);
    if (auto const* leave = std::get_if<early_exit>(&parsed)) {
        std::fputs(leave->err.c_str(), stderr);
        try {
            write_out(leave->out);
        } catch (output_error const& problem) {
            complain(problem.what());
            return exit_failed;
        }
        return leave->code;
    }
    auto& line = std::get<command_line>(parsed);

    int code = exit_failed;
    {
        asio::io_context context(1);
        session in{line.db};
        signal_watch const signals(context, in);
        asio::co_spawn(context, run(in, std::move(line.what)), [&](std::exception_ptr thrown, int result) {
            if (thrown)
                report(code, thrown);
            else
                code = result;
        });
        context.run();
    }
    return code;
} catch (std::exception const& problem) {
    // No thread, descriptor or memory could be had for the tool itself.
    complain(problem.what());
    return exit_failed;
}
