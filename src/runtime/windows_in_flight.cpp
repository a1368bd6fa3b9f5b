#include <algorithm>

#include "runtime/back_off.hpp"
#include "runtime/leadership.hpp"

/// The part of a partition worker that deals with windows after they were made: commits, failures, redelivery.
namespace minibatch::runtime {
namespace {

constexpr std::int64_t max_trimmed_at_once = 4'096;  // records

}  // namespace

int partition_worker::attempt(window_record const& window) const { return lead_->tracker.attempt(window.handle); }

void partition_worker::commit(window_ptr const& window, int delivery, detail::callback<> done) {
    using state = window_record::state;
    if (!lead_ || lead_->lost || !lead_->open.contains(window->handle) || lead_->open.at(window->handle) != window) {
        auto const lost = window->now == state::closed && !window->committed;
        if (lost && window->in_doubt) {
            std::move(done)(error(errc::outcome_unknown,
                                  "window " + window->id + " may have been committed, and its lease is gone"));
            return;
        }
        std::move(done)(lost ? error(errc::fenced, "window " + window->id + " was not committed: its lease is gone")
                             : error(errc::window_closed, "window " + window->id + " has been committed already"));
        return;
    }
    if (delivery != window->delivery || (window->now != state::delivered && window->now != state::committing)) {
        std::move(done)(error(errc::window_closed, "window " + window->id + " was given back before"));
        return;
    }
    try {
        if (window->now == state::delivered) lead_->tracker.commit(window->handle);
    } catch (error const& problem) {
        std::move(done)(problem);
        return;
    }
    window->committers.push_back(std::move(done));
    if (window->now == state::committing) return;
    window->now = state::committing;
    lead_->to_cover.push_back(window);
    save();
}

void partition_worker::fail(window_ptr const& window, int delivery, std::string const& reason,
                            std::optional<milliseconds> delay, detail::callback<> done) {
    if (delivery != window->delivery || window->now != window_record::state::delivered || !lead_ || lead_->lost) {
        std::move(done)(
            error(lead_ && !lead_->lost ? errc::window_closed : errc::fenced,
                  "window " + window->id + " cannot be given back: it was resolved before or its lease is gone"));
        return;
    }
    env_.say(log_level::warning, "window " + window->id + " of stream '" + window->stream + "' failed: " + reason);
    postpone(window, delay);
    lead_->to_tell.push_back(std::move(done));
    save();
}

void partition_worker::returned(window_ptr const& window, int delivery, bool looked_at) {
    using state = window_record::state;
    if (delivery != window->delivery) return;  // failed before, and delivered again meanwhile
    if (window->now == state::committing) {
        window->now = state::abandoned;
    } else if (window->now == state::delivered && lead_ && !lead_->lost) {
        if (looked_at) {
            postpone(window, std::nullopt);
            save();
        } else {
            window->now = state::ready;
            if (member_->stopping == drain::release)
                close(window);
            else
                member_->offer(window, true);
        }
        signal_.notify();
    }
}

/// The window is delivered again after a while.
void partition_worker::postpone(window_ptr const& window, std::optional<milliseconds> delay) {
    lead_->tracker.fail(window->handle);
    window->now = window_record::state::waiting;
    lead_->any_waiting = true;
    window->not_before = env_.time->now() + (delay ? *delay : back_off_delay(attempt(*window) - 1));
    signal_.notify();
}

void partition_worker::redeliver_due(std::optional<steady_time>& look_again) {
    if (member_->stopping || !lead_->any_waiting) return;
    lead_->any_waiting = false;
    auto const now = env_.time->now();
    for (auto const& [handle, window] : lead_->open) {
        if (window->now != window_record::state::waiting) continue;
        if (window->not_before <= now) {
            window->now = window_record::state::ready;
            member_->offer(window, true);
        } else {
            look_again = look_again ? std::min(*look_again, window->not_before) : window->not_before;
            lead_->any_waiting = true;
        }
    }
}

void partition_worker::close(window_ptr const& window) {
    window->now = window_record::state::closed;
    window->settled = true;
    lead_->open.erase(window->handle);
}

/// Whether a caller holds a window that it may still commit, or a last one waits to be taken.
bool partition_worker::in_use() const {
    return std::any_of(lead_->open.begin(), lead_->open.end(), [&](auto const& entry) {
        using state = window_record::state;
        auto const now = entry.second->now;
        return now == state::delivered || now == state::committing || now == state::abandoned ||
               (now == state::ready && *member_->stopping == drain::flush);
    });
}

/// Stores the progress as it is. While one save is under way, all that comes goes into the next one.
void partition_worker::save() {
    auto& lead = *lead_;
    if (lead.lost) return;
    if (lead.saving) {
        lead.save_again = true;
        return;
    }
    lead.saving = true;
    lead.save_again = false;
    lead.repetition.reset();
    auto covering = std::exchange(lead.to_cover, {});
    for (auto& window : std::exchange(lead.in_doubt, {})) covering.push_back(std::move(window));
    for (auto const& window : covering) window->sent = true;
    store::commit_request request{group_, lead.epoch, lead.tracker.snapshot(), {}};
    auto const low_number = request.state.low_number;
    write_list requests;
    requests.emplace_back(
        std::move(request),
        [self = shared_from_this(), loop = env_.loop, epoch = lead.epoch, low_number, covered = std::move(covering),
         waiters = std::exchange(lead.to_tell, {})](store::write_result outcome) mutable {
            asio::post(loop, [self = std::move(self), epoch, low_number, covered = std::move(covered),
                              waiters = std::move(waiters), outcome = std::move(outcome)]() mutable {
                std::optional<error> problem;
                if (auto* failed = std::get_if<error>(&outcome)) problem = std::move(*failed);
                if (self->lead_ && self->lead_->epoch == epoch) {
                    self->save_finished(std::move(problem), low_number, covered, std::move(waiters));
                } else {
                    auto const gone = error(errc::fenced, "the lease is gone");
                    for (auto const& window : covered) answer(*window, problem);
                    for (auto& waiter : waiters) std::move(waiter)(gone);
                }
            });
        });
    // Trimming goes along where it takes effect after the save; elsewhere it waits for the save's end.
    if (tuning_.scope == store::write_scope::whole_store) trim_what_is_due(low_number, requests);
    runtime_.writes->submit_all(std::move(requests));
}

/// All below `low_number` is committed in the store, or will be before what goes `with` it takes effect.
void partition_worker::trim_what_is_due(std::int64_t low_number, write_list& with) {
    auto& lead = *lead_;
    lead.stored = low_number;
    if (member_->options.keep || low_number <= lead.trimmed) return;
    if (low_number - lead.trimmed >= tuning_.trim_records) {
        trim(with);
    } else if (!lead.trim_timer) {
        lead.trim_timer = env_.time->at(env_.time->now() + tuning_.trim_delay, [weak = weak_from_this()] {
            auto const self = weak.lock();
            if (!self || !self->lead_ || self->lead_->lost) return;
            self->lead_->trim_timer.reset();
            if (self->lead_->stored > self->lead_->trimmed) self->trim_alone();
        });
    }
}

store::trim_request partition_worker::trim_request() const {
    store::trim_request request;
    request.log = group_.log;
    request.now_at_most = runtime_.clocks.time_for_retention();
    // What piles up between two trims goes in one of them.
    request.max_records =
        static_cast<int>(std::clamp<std::int64_t>(tuning_.trim_records, request.max_records, max_trimmed_at_once));
    return request;
}

void partition_worker::trim(write_list& with) {
    lead_->trimmed = lead_->stored;
    with.emplace_back(trim_request(), [weak = weak_from_this(), loop = env_.loop](store::write_result outcome) {
        auto const* trimmed = std::get_if<store::trim_result>(&outcome);
        if (!trimmed || !trimmed->more) return;
        asio::post(loop, [weak] {
            auto const self = weak.lock();
            if (self && self->lead_ && !self->lead_->lost) self->trim_alone();
        });
    });
}

void partition_worker::trim_alone() {
    write_list alone;
    trim(alone);
    runtime_.writes->submit_all(std::move(alone));
}

void partition_worker::save_finished(std::optional<error> problem, std::int64_t low_number,
                                     std::vector<window_ptr> const& covered, std::vector<save_done> waiters) {
    using state = window_record::state;
    auto& lead = *lead_;
    lead.saving = false;
    if (problem && problem->code() == errc::fenced) lose("another consumer has taken over");
    auto const unknown = problem && problem->code() == errc::outcome_unknown;
    if (!problem) {
        lead.doubts = 0;
        patience_.renew();
    }
    for (auto const& window : covered) {
        window->sent = false;
        window->in_doubt = unknown || (problem && window->in_doubt);
        if (lead.lost) {
            answer(*window, problem);
            continue;
        }
        if (window->in_doubt && !lasting(*problem)) {
            lead.in_doubt.push_back(window);
            answer(*window, problem);
            continue;
        }
        auto const abandoned = window->now == state::abandoned;
        if (!problem) {
            lead.tracker.saved(window->handle);
            close(window);
        } else {
            lead.tracker.uncommit(window->handle);
            window->now = state::delivered;
            if (abandoned) postpone(window, std::nullopt);
        }
        answer(*window, problem);
    }
    for (auto& waiter : waiters) std::move(waiter)(problem);
    if (!problem && !lead.lost && tuning_.scope != store::write_scope::whole_store) {
        write_list due;
        trim_what_is_due(low_number, due);
        if (!due.empty()) runtime_.writes->submit_all(std::move(due));
    }
    if (!lead.lost && (lead.save_again || !lead.to_cover.empty() || !lead.to_tell.empty())) save();
    if (!lead.lost && !lead.in_doubt.empty() && !lead.saving) {
        lead.repetition = env_.time->at(env_.time->now() + back_off_delay(++lead.doubts), [weak = weak_from_this()] {
            if (auto const self = weak.lock(); self && self->lead_) self->save();
        });
    }
    signal_.notify();
}

/// Tells those who wait for a commit how it ended.
void partition_worker::answer(window_record& window, std::optional<error> const& problem) {
    if (!problem) window.committed = true;
    for (auto& done : std::exchange(window.committers, {})) {
        if (!problem) {
            std::move(done)(std::nullopt);
        } else if (window.in_doubt || problem->code() == errc::outcome_unknown) {
            std::move(done)(error(errc::outcome_unknown,
                                  "whether window " + window.id + " was committed is not known: " + problem->what()));
        } else {
            std::move(done)(error(problem->code(), "window " + window.id + " was not committed: " + problem->what()));
        }
    }
}

/// Saves, and waits until that is durable. Throws the error of the save.
asio::awaitable<void> partition_worker::saved() {
    if (lead_->lost) throw error(errc::fenced, "the lease is gone");
    auto token = asio::use_awaitable;
    auto start = [this](auto caller) {
        auto handler = patience_.wait(std::move(caller), [](auto resume, error const& problem) {
            std::move(resume)(std::make_exception_ptr(problem));
        });
        lead_->to_tell.push_back(
            [loop = env_.loop, handler = std::move(handler)](std::optional<error> problem) mutable {
                asio::post(loop, [handler = std::move(handler), problem = std::move(problem)]() mutable {
                    std::move(handler)(problem ? std::make_exception_ptr(*problem) : std::exception_ptr());
                });
            });
        save();
    };
    co_await asio::async_initiate<asio::use_awaitable_t<> const, void(std::exception_ptr)>(std::move(start), token);
}

}  // namespace minibatch::runtime
