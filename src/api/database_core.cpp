#include "api/database_core.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>

#include "api/handle_threads.hpp"
#include "base/thread_inheritance.hpp"
#include "runtime/log_throttle.hpp"
#include "store/open.hpp"
#include "store/time_limit.hpp"

namespace minibatch::detail {
namespace {

/// A little more than it takes to resume a coroutine that awaits an append, so that it can begin the next.
constexpr std::chrono::microseconds stay_awake{50};

/// A time-out of `connect_options` as the runtime and the stores take it.
milliseconds time_limit_of(char const* option, milliseconds given) {
    if (given.count() < 0) {
        throw error(errc::invalid_argument, std::string("connect_options::") + option + " must not be negative, not " +
                                                std::to_string(given.count()) + " ms");
    }
    return given.count() == 0 ? store::unlimited : std::min(given, store::unlimited);
}

}  // namespace

database_core::database_core() = default;

std::shared_ptr<database_core> database_core::open(std::string const& url, connect_options const& options) {
    if (options.threads < 2 || options.threads > 64) {
        throw error(errc::invalid_argument,
                    "connect_options::threads must be between 2 and 64, not " + std::to_string(options.threads));
    }
    auto const timeout = time_limit_of("timeout", options.timeout);
    store::open_options how;
    how.timeout = time_limit_of("connect_timeout", options.connect_timeout);
    how.create = options.create;
    how.read_only = options.read_only;
    how.log = runtime::throttle_repetitions(options.log, &std::chrono::steady_clock::now);
    how.readers = static_cast<int>(options.threads);
    base::thread_inheritance const of_drivers;
    auto own = std::make_unique<handle_threads>(options.threads, how.log);
    runtime::environment env;
    env.loop = own->loop();
    env.workers = own->workers();
    env.time = runtime::real_scheduler(env.loop);
    env.database = store::open_store(url.empty() ? store::default_url() : url, how);
    env.log = how.log;
    env.timeout = timeout;
    if (std::thread::hardware_concurrency() > 1) env.stay_awake = stay_awake;
    auto engine = std::make_shared<runtime::engine>(std::move(env), options.max_pending_bytes);
    std::shared_ptr<database_core> core(new database_core);
    own->carry(engine);
    core->threads_ = std::move(own);
    core->engine_ = std::move(engine);
    core->engine_->start();
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
        // With the engine, whose timers belong to threads that are not there.
        static_cast<void>(threads_.release());
        return;
    }
    engine_.reset();
    handle_threads::shut_down(std::move(threads_));
}

}  // namespace minibatch::detail
