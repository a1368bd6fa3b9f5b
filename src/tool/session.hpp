#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <chrono>
#include <functional>
#include <minibatch.hpp>
#include <optional>
#include <string>
#include <type_traits>

#include "tool/exit_code.hpp"
#include "tool/options.hpp"

namespace minibatch::tool {

namespace asio = boost::asio;

/// What a command runs in: its database, how long it waits for it, and the signal that asked it to finish. Used on the
/// main context.
class session {
  public:
    using clock = std::chrono::steady_clock;

    /// Zero for `timeout` means no time-out.
    session(std::string url, duration timeout) : url_(std::move(url)), timeout_(timeout) {}

    /// Opens the database; `create`: makes it if it does not exist. Waits for one that is unreachable, busy or full
    /// until the time-out. A file that is missing is no reason to wait.
    asio::awaitable<database> connect(bool create = false);
    /// The same for commands that only read: nothing is written to the database, nor made beside it.
    asio::awaitable<database> connect_for_reading();

    /// Awaits `call()`, and repeats it after a temporary error, until the time-out has passed since the first one, or a
    /// cancellation. Throws the last error. Some errors come at once, others when the library itself has waited.
    template <class Call>
    auto persist(Call& call) -> std::invoke_result_t<Call&> {
        clock::time_point began{};
        for (int tries = 1;; ++tries) {
            std::optional<error> problem;
            try {
                co_return co_await call();
            } catch (error const& failed) {
                problem = failed;
            }
            if (!is_temporary(problem->code())) throw error(*problem);
            if (tries == 1) began = clock::now();
            co_await pause_after(*problem, began, tries);
        }
    }
    /// Waits before the next repetition. Throws `problem` if the time-out leaves no time for one.
    asio::awaitable<void> pause_after(error const& problem, clock::time_point began, int tries) const;

    duration timeout() const noexcept { return timeout_; }

    /// The command has been told the outcome of all that it has asked of the database, and holds no lease.
    void settled() noexcept { settled_ = true; }
    /// Closes the database, when the command has ended. MongoDB's driver takes half a second to end its threads: after
    /// `settled` it is not waited for, and the process ends here, with this exit code.
    void close(int exit_code);

    /// Set while a command has something in hand: called at the first signal. Without it the process ends there, after
    /// `before_leaving`. Whoever sets it late looks at `stopping`.
    std::function<void()> on_stop;
    std::function<void()> before_leaving;
    /// Ends the process without closing the database.
    [[noreturn]] void leave(int exit_code) const;
    bool stopping() const noexcept { return signal_ != 0; }
    /// The command has no end of its own, so that a signal is how it ends.
    void endless() noexcept { endless_ = true; }
    /// The exit code of a command that a signal has stopped before it had done what was asked; 0 for an endless one.
    int stopped_code() const noexcept;
    /// "SIGINT", "SIGTERM" or "SIGHUP"; only when stopping.
    char const* signal_name() const noexcept;
    void stop(int signal_number);

    /// Ends the database operation that the command waits for, as a terminal cancellation of the whole command.
    asio::cancellation_signal cancel;

  private:
    asio::awaitable<database> open(connect_options options);

    std::string url_;
    duration timeout_;
    database open_;
    bool settled_ = false;
    bool endless_ = false;
    int signal_ = 0;
};

asio::awaitable<int> run_append(session& in, append_options options);
asio::awaitable<int> run_consume(session& in, consume_options options);
asio::awaitable<int> run_peek(session& in, peek_options options);
asio::awaitable<int> run_streams(session& in);
asio::awaitable<int> run_info(session& in, info_options options);
asio::awaitable<int> run_delete(session& in, delete_options options);
asio::awaitable<int> run_delete_group(session& in, delete_group_options options);

}  // namespace minibatch::tool
