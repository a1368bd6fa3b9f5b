#include "runtime/lease_applicant.hpp"

#include <algorithm>

#include "runtime/coroutine.hpp"
#include "runtime/identity.hpp"
#include "store/time_arithmetic.hpp"

namespace minibatch::runtime {
namespace {

constexpr milliseconds pause_between_tries{10};

}  // namespace

asio::awaitable<std::optional<lease_applicant::grant>> lease_applicant::acquire(std::function<bool()> stopped) {
    auto const& env = context_.env;
    auto const length = context_.member.options.lease;
    if (acquisition_.empty()) acquisition_ = new_acquisition();
    store::acquire_request request;
    request.group = context_.group;
    request.owner = context_.runtime.owner;
    request.acquisition = acquisition_;
    request.duration = length;

    // What was seen before an outage still counts.
    if (!other_) other_.emplace(length);
    while (!stopped()) {
        ask_again_ = false;
        auto const asked = env.time->now();
        request.unchanged = other_->ended(asked);
        store::write_request write = request;
        auto answer =
            co_await written<store::acquire_result>(env, context_.budget, *context_.runtime.writes, std::move(write));
        if (answer.granted) {
            other_.reset();
            co_return grant{std::move(answer), asked};
        }
        other_->see(answer.held, env.time->now(), env.database->now());
        co_await stand_by(answer.held, stopped);
    }
    co_return std::nullopt;
}

/// Waits until the lease may be free: it has been released, or its holder has not renewed it for its whole length.
asio::awaitable<void> lease_applicant::stand_by(store::lease const& held, std::function<bool()> const& stopped) {
    auto const& env = context_.env;
    auto const asked = env.time->now();
    auto expiry = steady_time::max();
    if (context_.tuning.expiry_counts) {
        auto const left = std::max<time_ms>(store::saturating_difference(held.expires, env.database->now()), 0) + 1;
        auto const longest = std::max(held.length, context_.member.options.lease);
        expiry = asked + milliseconds(std::min<time_ms>(left, longest.count()));
    }
    while (!stopped() && !ask_again_) {
        auto const until = std::max(std::min(other_->ends_at(), expiry), asked + pause_between_tries);
        if (env.time->now() >= until) co_return;
        co_await context_.wake.wait(env, until);
    }
}

void lease_applicant::changed(std::optional<store::lease> const& held) {
    // Appends and renewals do not make the lease free: asking again would cost a call each time. What comes before the
    // first answer is a reason to ask again, since the answer may be older.
    auto const known = other_ ? other_->seen() : std::nullopt;
    if (known && held && held->epoch == known->epoch && held->acquisition == known->acquisition) {
        other_->see(*held, context_.env.time->now(), context_.env.database->now());
    } else {
        ask_again_ = true;
        context_.wake.notify();
    }
}

}  // namespace minibatch::runtime
