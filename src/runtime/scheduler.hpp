#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>

#include "store/store.hpp"
#include "store/time_arithmetic.hpp"

namespace minibatch::runtime {

namespace asio = boost::asio;
using store::milliseconds;
using store::steady_time;
using store::time_ms;

/// A pending call; destroying it takes the call back.
struct timer {
    virtual ~timer() = default;
};

/// The steady clock and the timers of the runtime. Tests replace it by one that they advance.
class scheduler {
  public:
    virtual ~scheduler() = default;
    virtual steady_time now() = 0;
    /// Runs `call` on the loop at `when` or soon after. Thread-safe; the returned timer is destroyed on the loop, or
    /// its call tolerates running once more.
    [[nodiscard]] virtual std::unique_ptr<timer> at(steady_time when, std::function<void()> call) = 0;
};

/// Real time, with timers on `loop`.
std::shared_ptr<scheduler> real_scheduler(asio::any_io_executor loop);

/// What the runtime runs on. In production the loop is one thread and the workers are a pool; tests give the same
/// single-threaded context for both.
struct environment {
    asio::any_io_executor loop;
    asio::any_io_executor workers;
    std::shared_ptr<scheduler> time;
    std::shared_ptr<store::store> database;
    log_callback log;
    milliseconds timeout{30'000};
    /// How long a worker stays awake for the next write, while writes follow closely upon one another. Zero: never.
    std::chrono::microseconds stay_awake{0};

    /// Logs. What the callback throws ends here: no operation depends on it.
    void say(log_level level, std::string_view text) const noexcept {
        if (!log) return;
        try {
            log(level, text);
        } catch (...) {
        }
    }
    steady_time deadline() const { return store::after(time->now(), timeout); }
};

}  // namespace minibatch::runtime
