#include "api/handle_threads.hpp"

#include <atomic>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <utility>

#include "base/start_thread.hpp"

namespace minibatch::detail {
namespace {

/// How long the last handle waits for what was handed over.
constexpr std::chrono::seconds shut_down_limit{10};
/// Grace period for abandoned calls at shutdown.
constexpr std::chrono::milliseconds last_calls{500};
constexpr std::chrono::microseconds polling_period{200};

}  // namespace

handle_threads::handle_threads(std::size_t workers, log_callback log)
    : log_(std::move(log)), workers_(static_cast<int>(workers)) {
    try {
        // The first timer opens the descriptors that all others use. Later there may be none left.
        asio::steady_timer const first(loop_);
        keep_loop_.emplace(loop_.get_executor());
        keep_workers_.emplace(workers_.get_executor());
        worker_threads_.reserve(workers);
        for (std::size_t i = 0; i < workers; ++i)
            worker_threads_.push_back(base::start_thread("minibatch", [this] { run(workers_); }));
        loop_thread_ = base::start_thread("minibatch-loop", [this] { run_loop(); });
    } catch (...) {
        auto problem = base::current_error();
        join();
        throw problem;
    }
}

handle_threads::~handle_threads() { join(); }

/// Idempotent. On the loop's own thread everything but that thread ends.
void handle_threads::join() noexcept {
    keep_loop_.reset();
    loop_.stop();
    if (loop_thread_.get_id() == std::this_thread::get_id())
        loop_thread_.detach();
    else if (loop_thread_.joinable())
        loop_thread_.join();
    // The loop gives work to the workers, which they finish.
    keep_workers_.reset();
    for (auto& thread : worker_threads_) thread.join();
    worker_threads_.clear();
}

void handle_threads::run(asio::io_context& tasks) noexcept {
    for (bool done = false; !done;) {
        try {
            tasks.run();
            done = true;
        } catch (...) {
            report();
        }
    }
}

void handle_threads::run_loop() noexcept {
    run(loop_);
    auto const own = std::exchange(unattended_, nullptr);
    if (!own) return;
    loop_.restart();
    finish([this] {
        try {
            loop_.run_one_for(polling_period);
        } catch (...) {
            report();
        }
    });
    join();
}

/// Logs the exception that is being handled.
void handle_threads::report() const noexcept {
    try {
        auto const problem = base::current_error("an internal task failed");
        if (log_) log_(log_level::error, problem.what());
    } catch (...) {
        // There is nobody left to tell.
    }
}

bool handle_threads::on_own_thread() {
    return loop_.get_executor().running_in_this_thread() || workers_.get_executor().running_in_this_thread();
}

void handle_threads::shut_down(std::unique_ptr<handle_threads> threads) {
    auto& own = *threads;
    if (own.on_own_thread()) {
        own.unattended_ = std::move(threads);
        own.loop_.stop();
        return;
    }
    own.finish([] { std::this_thread::sleep_for(polling_period); });
}

template <class Pause>
void handle_threads::finish(Pause const& pause) {
    if (!engine_) return;
    auto const limit = std::chrono::steady_clock::now() + shut_down_limit;
    auto const wait_for = [&](auto const& done) {
        while (!done() && std::chrono::steady_clock::now() < limit) pause();
    };
    try {
        // Consumers first, since they give their leases back through the queue.
        wait_for([&] { return engine_->active == 0; });
        engine_->writes->close();
        wait_for([&] { return !engine_->writes->owes(); });
        engine_->env.database->limit_calls(engine_->env.time->now() + last_calls);
        engine_->stop();
        // stop() posts to the loop, which posts to the workers: both run dry in that order.
        std::atomic<bool> passed = false;
        asio::post(loop_, [&] { passed = true; });
        while (!passed) pause();
    } catch (...) {
        report();
    }
}

}  // namespace minibatch::detail
