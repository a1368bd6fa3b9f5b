#include <unistd.h>

#include <algorithm>
#include <random>

#include "runtime/leadership.hpp"

/// The part of a partition worker that gets, keeps and loses the lease.
namespace minibatch::runtime {
namespace {

std::string owner_name() {
    char host[256] = {};
    if (gethostname(host, sizeof host - 1) != 0) host[0] = '\0';
    return std::string(host) + ":" + std::to_string(getpid());
}

std::string new_acquisition() {
    std::random_device source;
    char text[40];
    std::snprintf(text, sizeof text, "%08x%08x%08x", source(), source(), source());
    return text;
}

}  // namespace

/// Waits until the lease is ours. False: stopped before that.
asio::awaitable<bool> partition_worker::acquire() {
    auto const period = member_->options.lease;
    store::acquire_request request;
    request.group = group_;
    request.owner = owner_name();
    if (acquisition_.empty()) acquisition_ = new_acquisition();
    request.acquisition = acquisition_;
    request.duration = period;

    seen_.reset();
    steady_time stale_at{};
    while (!member_->stopping) {
        auto const sent = env_.time->now();
        request.unchanged = seen_ && sent >= stale_at ? seen_ : std::nullopt;
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
        auto const left = milliseconds(std::max<time_ms>(answer.held.expires - env_.database->now(), 0));
        if (seen_ != answer.held) {
            seen_ = answer.held;
            // The holder renews every third of its own period, which is at most one and a half times what is left.
            stale_at = sent + std::max(period, left * 3 / 2);
        }
        auto const retry = std::min(env_.time->now() + left + milliseconds(1),
                                    std::max(stale_at, env_.time->now() + milliseconds(10)));
        co_await signal_.wait(env_, retry);
    }
    co_return false;
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
