#include <algorithm>

#include "runtime/identity.hpp"
#include "runtime/leadership.hpp"

/// The part of a partition worker that gets, keeps and loses the lease.
namespace minibatch::runtime {
namespace {

constexpr milliseconds pause_between_tries{10};

}  // namespace

/// Waits until the lease is ours. False: stopped before that.
asio::awaitable<bool> partition_worker::acquire() {
    auto const period = member_->options.lease;
    store::acquire_request request;
    request.group = group_;
    request.owner = runtime_.owner;
    if (acquisition_.empty()) acquisition_ = new_acquisition();
    request.acquisition = acquisition_;
    request.duration = period;

    other_.emplace(period);
    while (!member_->stopping) {
        ask_for_lease_ = false;
        auto const sent = env_.time->now();
        request.unchanged = other_->ended(sent);
        store::write_request asked = request;
        auto answer = co_await written<store::acquire_result>(env_, patience_, *runtime_.writes, std::move(asked));
        if (answer.granted) {
            lead_ = std::make_unique<leadership>(member_->how, answer, group_.log.partition);
            lead_->valid_until = sent + period;
            lead_->follower = runtime_.newest.follow(group_.log, [weak = weak_from_this(), loop = env_.loop](auto end) {
                asio::post(loop, [weak, end] {
                    if (auto const self = weak.lock(); self && self->lead_) self->appended_here(end);
                });
            });
            runtime_.keep(weak_from_this(), period);
            co_return true;
        }
        other_->see(answer.held, env_.time->now(), env_.database->now());
        co_await stand_by(answer.held);
    }
    co_return false;
}

/// Waits until the lease may be free: it has been released, or its holder has not renewed it for its whole length.
asio::awaitable<void> partition_worker::stand_by(store::lease held) {
    auto const asked = env_.time->now();
    auto expiry = steady_time::max();
    if (tuning_.expiry_counts) {
        auto const left = std::max<time_ms>(held.expires - env_.database->now(), 0) + 1;
        expiry = asked + milliseconds(std::min<time_ms>(left, std::max(held.length, member_->options.lease).count()));
    }
    while (!member_->stopping && !ask_for_lease_) {
        auto const until = std::max(std::min(other_->ends_at(), expiry), asked + pause_between_tries);
        if (env_.time->now() >= until) co_return;
        co_await signal_.wait(env_, until);
    }
}

bool partition_worker::may_deliver() const { return lead_ && !lead_->lost && env_.time->now() < lead_->valid_until; }

std::optional<store::renew_request> partition_worker::renewal() const {
    if (!lead_ || lead_->lost) return std::nullopt;
    return store::renew_request{group_, lead_->epoch, member_->options.lease};
}

void partition_worker::renewed(std::int64_t epoch, store::write_result const& outcome, steady_time sent) {
    if (!lead_ || lead_->lost || lead_->epoch != epoch) return;
    if (std::holds_alternative<store::done>(outcome)) {
        lead_->valid_until = std::max(lead_->valid_until, sent + member_->options.lease);
        outages_ = 0;
        member_->pump();
        if (lead_->put_off) runtime_.look_soon();
        return;
    }
    auto const& problem = std::get<error>(outcome);
    if (problem.code() == errc::fenced) {
        lose("another consumer has taken over");
    } else if (lasting(problem)) {
        lead_->doubt_end();  // the next read meets the same and ends this worker
        signal_.notify();
    } else {
        member_->report(problem, false);
    }
}

/// Ends the leadership: nothing is delivered any more, and what tries to commit is refused.
void partition_worker::lose(std::string_view why) {
    auto& lead = *lead_;
    if (lead.lost) return;
    lead.lost = true;
    acquisition_.clear();
    say("lease given up: " + std::string(why));
    member_->withdraw(*this);
    for (auto const& [handle, window] : lead.open) {
        window->now = window_record::state::closed;
        window->settled = true;
        if (!window->sent) answer(*window, error(errc::fenced, std::string(why)));
    }
    lead.open.clear();
    for (auto& done : std::exchange(lead.to_tell, {})) std::move(done)(error(errc::fenced, std::string(why)));
    signal_.notify();
}

}  // namespace minibatch::runtime
