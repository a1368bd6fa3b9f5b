#include "api/database_core.hpp"

#include <pthread.h>
#include <signal.h>

#include <chrono>
#include <future>

#include "runtime/log_throttle.hpp"
#include "store/open.hpp"

namespace minibatch::detail {
namespace {

/// How long the last handle waits for what was handed over.
constexpr std::chrono::seconds shut_down_limit{10};
/// How long calls go on that nobody waits for any more.
constexpr std::chrono::milliseconds last_calls{500};

/// While one exists, threads started from here are made as ours should be, since they inherit both from their creator:
/// signals are the application's, and none is delivered to them; and they can be told apart in `top` and debuggers.
class making_threads {
  public:
    making_threads() {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &signals_);
        pthread_getname_np(pthread_self(), name_, sizeof name_);
        pthread_setname_np(pthread_self(), "minibatch");
    }
    ~making_threads() {
        pthread_setname_np(pthread_self(), name_);
        pthread_sigmask(SIG_SETMASK, &signals_, nullptr);
    }
    making_threads(making_threads const&) = delete;
    making_threads& operator=(making_threads const&) = delete;

  private:
    sigset_t signals_{};
    char name_[16] = {};
};

}  // namespace

std::shared_ptr<database_core> database_core::open(std::string const& url, connect_options const& options) {
    if (options.threads < 2 || options.threads > 64) {
        throw error(errc::invalid_argument,
                    "connect_options::threads must be between 2 and 64, not " + std::to_string(options.threads));
    }
    if (options.timeout.count() <= 0 || options.connect_timeout.count() <= 0) {
        throw error(errc::invalid_argument, "connect_options: time-outs must be positive");
    }
    store::open_options how;
    how.timeout = options.connect_timeout;
    how.create = options.create;
    how.read_only = options.read_only;
    how.log = runtime::throttle_repetitions(options.log, &std::chrono::steady_clock::now);
    how.readers = static_cast<int>(options.threads);
    making_threads const of_ours;
    auto database = store::open_store(url.empty() ? store::default_url() : url, how);

    std::shared_ptr<database_core> core(new database_core);
    core->threads_ = std::make_unique<threads>(options.threads);
    auto& own = *core->threads_;
    runtime::environment env;
    env.loop = own.loop.get_executor();
    env.workers = own.workers.get_executor();
    env.time = runtime::real_scheduler(env.loop);
    env.database = std::move(database);
    env.log = how.log;
    env.timeout = options.timeout;
    own.engine = std::make_shared<runtime::engine>(std::move(env), options.max_pending_bytes);
    own.engine->start();
    core->engine_ = own.engine;
    own.loop_thread = std::thread([&loop = own.loop] {
        pthread_setname_np(pthread_self(), "minibatch-loop");
        loop.run();
    });
    return core;
}

std::shared_ptr<database_core> database_core::on(runtime::environment env, std::size_t max_pending_bytes) {
    std::shared_ptr<database_core> core(new database_core);
    env.log = runtime::throttle_repetitions(std::move(env.log), [time = env.time] { return time->now(); });
    core->engine_ = std::make_shared<runtime::engine>(std::move(env), max_pending_bytes);
    core->engine_->start();
    return core;
}

database_core::~database_core() {
    if (!threads_) {
        if (engine_) engine_->stop();
        return;
    }
    if (guard_.forked()) {
        static_cast<void>(threads_.release());
        return;
    }
    auto const here = std::this_thread::get_id();
    auto const own =
        threads_->loop_thread.get_id() == here || threads_->workers.get_executor().running_in_this_thread();
    if (!own) {
        threads_->shut_down();
        return;
    }
    // The last handle went on one of our own threads, which cannot wait for itself.
    std::thread([last = std::move(threads_)] { last->shut_down(); }).detach();
}

void database_core::threads::shut_down() {
    auto const limit = std::chrono::steady_clock::now() + shut_down_limit;
    auto const wait_for = [&](auto done) {
        while (!done() && std::chrono::steady_clock::now() < limit)
            std::this_thread::sleep_for(std::chrono::microseconds(200));
    };
    // Consumers first, since they give their leases back through the queue.
    wait_for([&] { return engine->active == 0; });
    engine->writes->close();
    wait_for([&] { return !engine->writes->owes(); });
    engine->env.database->limit_calls(engine->env.time->now() + last_calls);
    engine->stop();
    // stop() posts to the loop, which posts to the workers: both run dry in that order.
    std::promise<void> passed;
    asio::post(loop, [&] { passed.set_value(); });
    passed.get_future().wait();
    keep_running.reset();
    loop.stop();
    loop_thread.join();
    workers.join();
}

}  // namespace minibatch::detail
