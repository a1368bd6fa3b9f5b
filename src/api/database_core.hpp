#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <memory>
#include <minibatch/options.hpp>
#include <string>
#include <thread>
#include <tuple>

#include "runtime/engine.hpp"
#include "runtime/operation.hpp"

namespace minibatch::detail {

namespace asio = boost::asio;

/// What a database handle owns: the engine, and the threads that it runs on. Destroyed with the last handle, which
/// waits (bounded) until what was handed over has been written.
class database_core {
  public:
    /// Blocks while the database is opened.
    static std::shared_ptr<database_core> open(std::string const& url, connect_options const& options);
    /// Runs on what is given and owns no threads: for tests, which run everything themselves. Nothing is waited for at
    /// the end.
    static std::shared_ptr<database_core> on(runtime::environment env, std::size_t max_pending_bytes);
    ~database_core();
    database_core(database_core const&) = delete;
    database_core& operator=(database_core const&) = delete;

    /// Joins this thread, too, when it shuts down. Called once, before the handle is given away.
    void keep(std::thread opener) { threads_->opener = std::move(opener); }

    std::shared_ptr<runtime::engine> const& engine() const noexcept { return engine_; }
    runtime::environment const& env() const noexcept { return engine_->env; }

  private:
    struct threads {
        explicit threads(std::size_t count) : workers(count), keep_running(loop.get_executor()) {}
        asio::io_context loop{1};
        asio::thread_pool workers;
        asio::executor_work_guard<asio::io_context::executor_type> keep_running;
        std::thread loop_thread;
        std::thread opener;
        std::shared_ptr<runtime::engine> engine;
        void shut_down();
    };

    database_core() = default;
    std::unique_ptr<threads> threads_;
    std::shared_ptr<runtime::engine> engine_;  // ends before its threads
};

/// Runs a blocking call on a worker and completes `done` with what it returns. What the worker holds of the handle is
/// let go before that: the last handle should end where the caller ends it, and wait there for the threads.
template <class... Results, class Call>
void run_blocking(std::shared_ptr<database_core> core, operation<Results...> done, Call call) {
    auto const& workers = core->env().workers;
    asio::post(workers, [core = std::move(core), done = std::move(done), call = std::move(call)]() mutable {
        std::optional<error> problem;
        std::tuple<Results...> results;
        try {
            auto work = std::move(call);
            auto const owner = std::move(core);
            if constexpr (sizeof...(Results) == 0)
                work(*owner->env().database, owner->env().deadline());
            else
                results = std::tuple<Results...>(work(*owner->env().database, owner->env().deadline()));
        } catch (error const& known) {
            problem = known;
        } catch (std::exception const& other) {
            problem = error(errc::store_failure, other.what());
        }
        std::apply([&](auto&... values) { done.complete(std::move(problem), std::move(values)...); }, results);
    });
}

}  // namespace minibatch::detail
