#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "runtime/scheduler.hpp"

namespace minibatch::test {

using runtime::milliseconds;
using runtime::steady_time;
using runtime::time_ms;

/// The runtime's timers and the database's clock, which move only when a test moves them.
class virtual_time final : public runtime::scheduler, public store::clock {
  public:
    explicit virtual_time(boost::asio::io_context& loop) : loop_(loop) {}

    steady_time now() override { return now_; }
    steady_time steady_now() override { return now_; }
    time_ms system_now() override {
        return stopped_ ? *stopped_
                        : (std::chrono::duration_cast<milliseconds>(now_.time_since_epoch()) + ahead_).count();
    }

    /// The database's clock is so far ahead of the time that passes, or behind it, from now on. Timers go on as before.
    void set_clock(milliseconds ahead) {
        ahead_ = ahead;
        stopped_.reset();
    }
    /// The database's clock stands still.
    void stop_clock() { stopped_ = system_now(); }

    std::unique_ptr<runtime::timer> at(steady_time when, std::function<void()> call) override {
        auto const made = std::make_shared<entry>();
        made->call = std::move(call);
        if (when <= now_)
            fire(made);
        else
            waiting_.emplace(when, made);
        return std::make_unique<handle>(made);
    }

    /// When the next timer is due.
    std::optional<steady_time> next() {
        while (!waiting_.empty() && !waiting_.begin()->second->call) waiting_.erase(waiting_.begin());
        return waiting_.empty() ? std::nullopt : std::optional(waiting_.begin()->first);
    }

    /// Posts what is due by then.
    void move_to(steady_time when) {
        now_ = when;
        while (!waiting_.empty() && waiting_.begin()->first <= now_) {
            fire(waiting_.begin()->second);
            waiting_.erase(waiting_.begin());
        }
    }

  private:
    struct entry {
        std::function<void()> call;  // empty: taken back, or has run
    };
    struct handle final : runtime::timer {
        explicit handle(std::shared_ptr<entry> of) : own(std::move(of)) {}
        ~handle() override { own->call = nullptr; }
        std::shared_ptr<entry> own;
    };

    void fire(std::shared_ptr<entry> const& what) {
        boost::asio::post(loop_, [what] {
            if (auto const call = std::exchange(what->call, nullptr)) call();
        });
    }

    boost::asio::io_context& loop_;
    steady_time now_{milliseconds(1'000'000)};
    milliseconds ahead_{0};
    std::optional<time_ms> stopped_;
    std::multimap<steady_time, std::shared_ptr<entry>> waiting_;
};

}  // namespace minibatch::test
