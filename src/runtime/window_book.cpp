#include "runtime/window_book.hpp"

#include <algorithm>

#include "runtime/back_off.hpp"
#include "runtime/lasting.hpp"

namespace minibatch::runtime {

void window_book::add(window_ptr window) {
    auto const handle = window->handle;
    open_.emplace(handle, std::move(window));
}

void window_book::commit(window_ptr const& window, int delivery, detail::callback<> done) {
    auto const found = open_.find(window->handle);
    if (lease_.over() || found == open_.end() || found->second != window)
        return refuse_commit(*window, std::move(done));
    if (delivery != window->delivery || (window->now != state::delivered && window->now != state::committing)) {
        std::move(done)(error(errc::window_closed, "window " + window->id + " was given back before"));
        return;
    }
    try {
        if (window->now == state::delivered) tracker_.commit(window->handle);
    } catch (error const& problem) {
        std::move(done)(problem);
        return;
    }
    window->committers.push_back(std::move(done));
    if (window->now == state::committing) return;
    window->now = state::committing;
    saver_.cover(window);
    saver_.save();
}

void window_book::refuse_commit(window_record const& window, detail::callback<> done) {
    auto const lost = window.now == state::closed && !window.committed;
    if (lost && window.in_doubt) {
        std::move(done)(
            error(errc::outcome_unknown, "window " + window.id + " may have been committed, and its lease is gone"));
    } else if (lost) {
        std::move(done)(error(errc::fenced, "window " + window.id + " was not committed: its lease is gone"));
    } else {
        std::move(done)(error(errc::window_closed, "window " + window.id + " has been committed already"));
    }
}

void window_book::fail(window_ptr const& window, int delivery, std::string const& reason,
                       std::optional<milliseconds> delay, detail::callback<> done) {
    if (delivery != window->delivery || window->now != state::delivered || lease_.over())
        return refuse_failure(*window, lease_.over() ? errc::fenced : errc::window_closed, std::move(done));
    context_.env.say(log_level::warning,
                     "window " + window->id + " of stream '" + window->stream + "' failed: " + reason);
    postpone(window, delay);
    saver_.tell(std::move(done));
    saver_.save();
}

void window_book::refuse_failure(window_record const& window, errc why, detail::callback<> done) {
    std::move(done)(
        error(why, "window " + window.id + " cannot be given back: it was resolved before or its lease is gone"));
}

void window_book::returned(window_ptr const& window, int delivery, bool looked_at) {
    if (delivery != window->delivery) return;  // failed before, and delivered again meanwhile
    if (window->now == state::committing) {
        window->now = state::abandoned;
        return;
    }
    if (window->now != state::delivered || lease_.over()) return;
    if (looked_at) {
        postpone(window, std::nullopt);
        saver_.save();
    } else if (context_.member.stopping == drain::release) {
        close(window);
    } else {
        window->now = state::ready;
        context_.member.offer(window, true);
    }
    context_.wake.notify();
}

/// The window is delivered again after a while.
void window_book::postpone(window_ptr const& window, std::optional<milliseconds> delay) {
    tracker_.fail(window->handle);
    window->now = state::waiting;
    any_waiting_ = true;
    window->not_before = store::after(context_.env.time->now(), delay ? *delay : back_off_delay(attempt(*window) - 1));
    context_.wake.notify();
}

void window_book::redeliver_due(std::optional<steady_time>& look_again) {
    if (context_.member.stopping || !any_waiting_) return;
    any_waiting_ = false;
    auto const now = context_.env.time->now();
    for (auto const& [handle, window] : open_) {
        if (window->now != state::waiting) continue;
        if (window->not_before <= now) {
            window->now = state::ready;
            context_.member.offer(window, true);
        } else {
            look_again = look_again ? std::min(*look_again, window->not_before) : window->not_before;
            any_waiting_ = true;
        }
    }
}

bool window_book::in_use() const {
    auto const& stopping = context_.member.stopping;
    return std::any_of(open_.begin(), open_.end(), [&](auto const& entry) {
        auto const now = entry.second->now;
        return now == state::delivered || now == state::committing || now == state::abandoned ||
               (now == state::ready && stopping == drain::flush);
    });
}

std::vector<window_ptr> window_book::save_ended(std::vector<window_ptr> const& covered,
                                                std::optional<error> const& problem) {
    std::vector<window_ptr> in_doubt;
    for (auto const& window : covered) {
        window->save_ended(problem);
        if (window->in_doubt && !lasting(*problem))
            in_doubt.push_back(window);
        else
            settle(window, problem);
        window->tell_committers(problem);
    }
    return in_doubt;
}

/// Its commit was stored, or was not.
void window_book::settle(window_ptr const& window, std::optional<error> const& problem) {
    auto const abandoned = window->now == state::abandoned;
    if (!problem) {
        tracker_.saved(window->handle);
        close(window);
    } else {
        tracker_.uncommit(window->handle);
        window->now = state::delivered;
        if (abandoned) postpone(window, std::nullopt);
    }
}

void window_book::close(window_ptr const& window) {
    window->now = state::closed;
    window->settled = true;
    open_.erase(window->handle);
}

void window_book::close_all(std::string_view why) {
    for (auto const& [handle, window] : open_) {
        window->now = state::closed;
        window->settled = true;
        if (!window->sent) window->tell_committers(error(errc::fenced, std::string(why)));
    }
    open_.clear();
}

}  // namespace minibatch::runtime
