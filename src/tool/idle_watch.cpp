#include "tool/idle_watch.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "tool/standard_streams.hpp"

namespace minibatch::tool {
namespace {

using std::chrono::milliseconds;
using steady = std::chrono::steady_clock;

/// How long messages that are left may be on their way into a window.
constexpr milliseconds reading_time{1'000};
/// How long a window that has to come may take to be read, and delivered.
constexpr milliseconds working_time{30'000};
/// How long the lease may be held by a consumer that was killed.
milliseconds const standby_time = consumer_options{}.lease + reading_time;

}  // namespace

struct idle_watch::state {
    state(asio::any_io_executor executor, stream from, std::string of_group, idle_rule given,
          std::function<void()> when_expired)
        : timer(std::move(executor)),
          source(std::move(from)),
          group(std::move(of_group)),
          rule(given),
          call(std::move(when_expired)) {}

    /// Whether these messages are going to be in a window, without any more of them.
    bool window_is_due(std::int64_t lag) const {
        return lag > 0 && (rule.closes_after || (rule.size && lag >= *rule.size));
    }
    milliseconds limit(std::int64_t lag, bool held_here) const {
        if (!held_here) return std::max<milliseconds>(rule.limit, standby_time);
        if (window_is_due(lag))
            return std::max<milliseconds>(rule.limit, rule.closes_after.value_or(duration(0)) + working_time);
        return lag > 0 ? std::max<milliseconds>(rule.limit, reading_time) : rule.limit;
    }

    asio::steady_timer timer;
    stream source;
    std::string group;
    idle_rule rule;
    std::function<void()> call;
    steady::time_point active = steady::now();
    bool ended = false;
    bool expired = false;
    bool work_left = false;
};

idle_watch::idle_watch(asio::any_io_executor executor, stream source, std::string group, idle_rule rule,
                       std::function<void()> expired)
    : state_(std::make_shared<state>(executor, std::move(source), std::move(group), rule, std::move(expired))) {
    asio::co_spawn(executor, watch(state_), asio::detached);
}

idle_watch::~idle_watch() {
    state_->ended = true;
    state_->timer.cancel();
}

void idle_watch::restart() { state_->active = steady::now(); }
bool idle_watch::expired() const noexcept { return state_->expired; }
bool idle_watch::work_left() const noexcept { return state_->work_left; }

asio::awaitable<void> idle_watch::watch(std::shared_ptr<state> self) {
    auto const pause = std::clamp<milliseconds>(self->rule.limit / 4, milliseconds(5), milliseconds(250));
    std::int64_t appended = -1;
    std::string owner;
    while (!self->ended) {
        self->timer.expires_after(pause);
        boost::system::error_code ignored;
        co_await self->timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        if (self->ended) co_return;
        stream_info info;
        try {
            info = co_await self->source.info();
        } catch (error const&) {
            continue;  // an outage is reported by the consumer
        }
        auto const found =
            std::find_if(info.groups.begin(), info.groups.end(), [&](auto const& g) { return g.name == self->group; });
        if (self->ended || found == info.groups.end()) continue;
        if (info.appended != appended || found->owner != owner) {
            // The first look counts from the start, unless the lease has just been taken.
            if (appended >= 0) self->active = steady::now();
            appended = info.appended;
            owner = found->owner;
        }
        if (owner.empty()) continue;  // about to be taken, by this consumer or another
        bool const held_here = found->owned_here;
        if (steady::now() - self->active < self->limit(found->lag, held_here)) continue;
        self->work_left = !held_here || self->window_is_due(found->lag);
        auto const left = "; messages left to commit: " + std::to_string(found->lag);
        auto const group = "group '" + self->group + "' of stream '" + info.name + "'";
        if (!held_here)
            complain(group + " is held by another consumer, " + owner + left);
        else if (self->work_left)
            complain(group + ": no window was made in time" + left);
        self->expired = true;
        self->ended = true;
        self->call();
    }
}

}  // namespace minibatch::tool
