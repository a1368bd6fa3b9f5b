#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <minibatch/log.hpp>
#include <optional>
#include <thread>
#include <vector>

#include "runtime/engine.hpp"

namespace minibatch::detail {

namespace asio = boost::asio;

/// The threads of a database handle: one runs the loop, the others run blocking calls. No exception leaves them: one
/// that a task throws is logged, and the thread goes on with the next task.
class handle_threads {
  public:
    /// Starts them. All that the loop will ever need of the process, timers included, is acquired here. Throws
    /// `errc::unavailable` when there are not enough threads or descriptors; those that were started have ended then.
    handle_threads(std::size_t workers, log_callback log);
    /// Ends threads that are still running, without waiting for the engine.
    ~handle_threads();
    handle_threads(handle_threads const&) = delete;
    handle_threads& operator=(handle_threads const&) = delete;

    /// The engine that runs on them, which ends before they do.
    void carry(std::shared_ptr<runtime::engine> engine) { engine_ = std::move(engine); }
    asio::any_io_executor loop() { return loop_.get_executor(); }
    asio::any_io_executor workers() { return workers_.get_executor(); }

    /// Waits, with a limit, until the engine has written what was handed over, then ends the threads. It may be called
    /// on one of the threads themselves: the loop then does it by itself, after this call, and no new thread is needed.
    static void shut_down(std::unique_ptr<handle_threads> threads);

  private:
    using guard = asio::executor_work_guard<asio::io_context::executor_type>;

    void run(asio::io_context& tasks) noexcept;
    void run_loop() noexcept;
    void report() const noexcept;
    bool on_own_thread();
    template <class Pause>
    void finish(Pause const& pause);
    void join() noexcept;

    log_callback log_;
    asio::io_context loop_{1};
    asio::io_context workers_;
    std::optional<guard> keep_loop_;
    std::optional<guard> keep_workers_;
    std::thread loop_thread_;
    std::vector<std::thread> worker_threads_;
    std::shared_ptr<runtime::engine> engine_;     // ends before the contexts
    std::unique_ptr<handle_threads> unattended_;  // itself, when the loop ends it
};

}  // namespace minibatch::detail
