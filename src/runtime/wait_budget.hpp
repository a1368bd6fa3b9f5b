#pragma once

#include <boost/asio/post.hpp>
#include <memory>
#include <optional>
#include <utility>

#include "runtime/operation.hpp"
#include "runtime/scheduler.hpp"

namespace minibatch::runtime {

/// How long a coroutine waits for each answer of the database. Without a limit, as long as it takes: calls have
/// deadlines of their own. With a limit, which is set when the coroutine is to end, a wait ends after that time without
/// its result, which is dropped when it comes. One wait at a time. On the loop alone.
class wait_budget {
  public:
    explicit wait_budget(environment const& env) : env_(env) {}

    /// Each wait lasts so long at most from now on, and the present one so long from here.
    void limit(milliseconds each) {
        if (each_) return;
        each_ = each;
        if (give_up_) arm();
    }
    /// Whether a wait was given up, and the database has not answered since.
    bool exhausted() const noexcept { return exhausted_; }
    void renew() noexcept { exhausted_ = false; }

    /// Begins a wait. Returns what is to be called, on the loop, in place of `handler`. If the wait ends before that,
    /// `give_up(handler, problem)` is called.
    template <class Handler, class GiveUp>
    auto wait(Handler handler, GiveUp give_up) {
        auto const kept = std::make_shared<std::optional<Handler>>(std::move(handler));
        // Weak: who waits is kept by what it waits for, and by nothing else.
        give_up_ = [weak = std::weak_ptr(kept), give_up] {
            if (auto const still = weak.lock(); still && *still) give_up(take(*still), without_answer());
        };
        if (each_) arm();
        return [this, kept](auto... results) mutable {
            if (!*kept) return;
            alarm_.reset();
            give_up_ = {};
            exhausted_ = false;
            take (*kept)(std::move(results)...);
        };
    }

  private:
    template <class Handler>
    static Handler take(std::optional<Handler>& from) {
        Handler out = std::move(*from);
        from.reset();
        return out;
    }
    static error without_answer() {
        return error(errc::unavailable, "the database has not answered since the consumer was stopped");
    }
    void arm() {
        auto const until = env_.time->now() + (exhausted_ ? milliseconds(0) : *each_);
        alarm_ = env_.time->at(until, [this] {
            if (!give_up_) return;
            exhausted_ = true;
            // Not from here: it may destroy the timer whose call this is.
            asio::post(env_.loop, [ends = std::exchange(give_up_, {})]() mutable { std::move(ends)(); });
        });
    }

    environment const& env_;
    std::optional<milliseconds> each_;
    bool exhausted_ = false;
    detail::any_handler<void()> give_up_;
    std::unique_ptr<timer> alarm_;
};

}  // namespace minibatch::runtime
