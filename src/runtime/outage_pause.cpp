#include "runtime/outage_pause.hpp"

#include "runtime/back_off.hpp"

namespace minibatch::runtime {

asio::awaitable<void> outage_pause::after(error const& problem, lease_session const* lease) {
    context_.member.report(problem, false);
    context_.warn(problem.what());
    auto const& time = context_.env.time;
    auto const until = time->now() + back_off_delay(++errors_);
    while (!context_.member.stopping && time->now() < until && !(lease && lease->over()))
        co_await context_.wake.wait(context_.env, until);
}

}  // namespace minibatch::runtime
