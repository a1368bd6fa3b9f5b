#include "runtime/scheduler.hpp"

#include <atomic>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/steady_timer.hpp>

namespace minibatch::runtime {
namespace {

class asio_timer final : public timer {
  public:
    struct state {
        state(asio::any_io_executor loop, std::function<void()> f) : wait(std::move(loop)), call(std::move(f)) {}
        asio::steady_timer wait;
        std::function<void()> call;
        std::atomic<bool> active = true;
    };

    asio_timer(asio::any_io_executor loop, steady_time when, std::function<void()> call)
        : state_(std::make_shared<state>(loop, std::move(call))) {
        // The asio timer is only ever touched on the loop: its members are not thread-safe.
        asio::dispatch(loop, [state = state_, when] {
            if (!state->active) return;
            state->wait.expires_at(when);
            state->wait.async_wait([state](boost::system::error_code failed) {
                if (!failed && state->active.exchange(false)) state->call();
                state->call = nullptr;
            });
        });
    }
    ~asio_timer() override {
        if (!state_->active.exchange(false)) return;
        asio::dispatch(state_->wait.get_executor(), [state = state_] { state->wait.cancel(); });
    }

  private:
    std::shared_ptr<state> state_;
};

class asio_scheduler final : public scheduler {
  public:
    explicit asio_scheduler(asio::any_io_executor loop) : loop_(std::move(loop)) {}
    steady_time now() override { return std::chrono::steady_clock::now(); }
    std::unique_ptr<timer> at(steady_time when, std::function<void()> call) override {
        return std::make_unique<asio_timer>(loop_, when, std::move(call));
    }

  private:
    asio::any_io_executor loop_;
};

}  // namespace

std::shared_ptr<scheduler> real_scheduler(asio::any_io_executor loop) {
    return std::make_shared<asio_scheduler>(std::move(loop));
}

}  // namespace minibatch::runtime
