#include "tool/idle_watch.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace minibatch::tool {
namespace {

using std::chrono::milliseconds;
using steady = std::chrono::steady_clock;

/// How long messages that are left may be on their way into a window.
constexpr milliseconds reading_time{1'000};
/// How long they may be held by a consumer that does not live any more.
milliseconds const standby_time = consumer_options{}.lease + reading_time;

}  // namespace

struct idle_watch::state {
    state(asio::any_io_executor executor, stream from, std::string of_group, duration given,
          std::function<void()> when_expired)
        : timer(std::move(executor)),
          source(std::move(from)),
          group(std::move(of_group)),
          limit(given),
          expired(std::move(when_expired)) {}

    asio::steady_timer timer;
    stream source;
    std::string group;
    duration limit;
    std::function<void()> expired;
    steady::time_point active = steady::now();
    bool delivered = false;
    bool ended = false;
};

idle_watch::idle_watch(asio::any_io_executor executor, stream source, std::string group, duration limit,
                       std::function<void()> expired)
    : state_(std::make_shared<state>(executor, std::move(source), std::move(group), limit, std::move(expired))) {
    asio::co_spawn(executor, watch(state_), asio::detached);
}

idle_watch::~idle_watch() {
    state_->ended = true;
    state_->timer.cancel();
}

void idle_watch::restart() {
    state_->active = steady::now();
    state_->delivered = true;
}

asio::awaitable<void> idle_watch::watch(std::shared_ptr<state> self) {
    auto const pause = std::clamp<milliseconds>(self->limit / 4, milliseconds(5), milliseconds(250));
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
        bool const in_the_way = found->lag > 0 && !self->delivered && !found->owned_here;
        auto limit = self->limit;
        if (found->lag > 0) limit = std::max<duration>(limit, in_the_way ? standby_time : reading_time);
        if (steady::now() - self->active < limit) continue;
        if (in_the_way)
            complain("group '" + self->group + "' of stream '" + info.name + "' is with another consumer, " + owner +
                     "; messages left to commit: " + std::to_string(found->lag));
        self->ended = true;
        self->expired();
    }
}

}  // namespace minibatch::tool
