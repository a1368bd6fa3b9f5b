#include "runtime/partition_worker.hpp"

#include <algorithm>
#include <boost/asio/detached.hpp>

#include "runtime/back_off.hpp"
#include "runtime/leadership.hpp"
#include "store/recovery.hpp"
#include "store/time_arithmetic.hpp"

namespace minibatch::runtime {
namespace {

/// Who is to stop does not wait for long for a database that is away: a lease that is not given back runs out.
constexpr milliseconds stop_patience{2'000};
constexpr milliseconds longest_wait{60'000};
/// Between the database's clock and stamps: that of a remote database is estimated.
constexpr milliseconds tolerated_difference{1'000};

}  // namespace

partition_worker::partition_worker(std::shared_ptr<group_member> member, store::group_id group)
    : member_(std::move(member)),
      runtime_(*member_->runtime),
      env_(runtime_.env),
      tuning_(env_.database->tune()),
      group_(std::move(group)),
      patience_(env_) {}

partition_worker::~partition_worker() = default;

void partition_worker::start() {
    asio::co_spawn(
        env_.loop, [self = shared_from_this()] { return self->run(); },
        [self = shared_from_this()](std::exception_ptr problem) {
            if (problem) {
                try {
                    std::rethrow_exception(problem);
                } catch (error const& known) {
                    self->member_->report(known, true);
                } catch (std::exception const& other) {
                    self->member_->report(error(errc::store_failure, other.what()), true);
                }
            }
            self->lead_.reset();
            self->member_->finished(*self);
        });
}

void partition_worker::stop() {
    if (member_->stopping == drain::release) patience_.limit(stop_patience);
    signal_.notify();
}

asio::awaitable<void> partition_worker::run() {
    bool watching = false;
    while (!member_->stopping) {
        std::optional<error> trouble;
        try {
            if (!watching) runtime_.watch(weak_from_this());
            watching = true;
            if (!co_await acquire()) co_return;
            co_await lead();
            outages_ = 0;
        } catch (error const& problem) {
            trouble = problem;
        }
        auto const held = static_cast<bool>(lead_);
        if (lead_) {
            if (!lead_->lost) co_await give_back();
            lose(trouble ? trouble->what() : "the consumer has stopped");
            lead_.reset();
        }
        if (trouble && lasting(*trouble)) throw error(*trouble);
        if (patience_.exhausted()) {
            if (held) say(std::string("lease not given back: ") + trouble->what() + "; it runs out by itself");
            co_return;
        }
        if (trouble) co_await back_off(*trouble);
    }
}

/// Tries, once, to let others have the lease at once, after an error that ends this worker or its drain.
asio::awaitable<void> partition_worker::give_back() {
    store::write_request last = store::release_request{group_, lead_->epoch};
    try {
        co_await written<store::done>(env_, patience_, *runtime_.writes, std::move(last));
        runtime_.change_seen();
    } catch (error const&) {
        // It runs out by itself.
    }
}

asio::awaitable<void> partition_worker::back_off(error const& problem) {
    member_->report(problem, false);
    say(problem.what());
    auto const until = env_.time->now() + back_off_delay(++outages_);
    while (!member_->stopping && env_.time->now() < until && !(lead_ && lead_->lost))
        co_await signal_.wait(env_, until);
}

void partition_worker::say(std::string const& what) const {
    env_.say(log_level::warning, "group '" + group_.group + "' of stream '" + member_->stream.name + "', partition " +
                                     std::to_string(group_.log.partition) + ": " + what);
}

asio::awaitable<void> partition_worker::lead() {
    auto& lead = *lead_;
    while (!lead.lost) {
        std::optional<steady_time> look_again;
        std::optional<error> trouble;
        try {
            redeliver_due(look_again);
            if (member_->stopping) {
                if (*member_->stopping == drain::flush && !lead.flushed) co_await drain_remainder();
                if (!in_use()) {
                    co_await release();
                    co_return;
                }
            } else if (lead.open.size() < static_cast<std::size_t>(member_->options.max_in_flight)) {
                if (co_await plan(look_again)) continue;
            }
        } catch (error const& problem) {
            if (lead.lost && problem.code() == errc::fenced) co_return;
            // An outage does not end the lease: what is in flight can still be committed when it is over.
            if (patience_.exhausted() && in_use()) continue;
            if (member_->stopping || lasting(problem) || problem.code() == errc::fenced) throw;
            trouble = problem;
        }
        if (trouble) {
            co_await back_off(*trouble);
        } else if (!lead.lost) {
            outages_ = 0;
            co_await signal_.wait(env_, look_again);
        }
    }
}

/// One step of the strategy. False: nothing to do before a signal, or before `look_again`.
asio::awaitable<bool> partition_worker::plan(std::optional<steady_time>& look_again) {
    auto& lead = *lead_;
    lead.put_off = false;
    auto const now = this->now();
    auto step = lead.planner.next(lead.pending, now);
    if (auto* cut = std::get_if<windowing::cut>(&step)) {
        co_await emit(std::move(*cut));
        co_return true;
    }
    if (auto* discards = std::get_if<windowing::discard_only>(&step)) {
        lead.tracker.discard(discards->discarded);
        save();
        co_return true;
    }
    if (auto* seal = std::get_if<windowing::seal_until>(&step)) {
        store::write_request request = store::seal_request{group_.log, seal->time};
        auto const sealed = co_await written<store::seal_result>(env_, patience_, *runtime_.writes, std::move(request));
        lead.pending.sealed(seal->time, sealed.end.offset);
        lead.learn_end(sealed.end);
        co_return true;
    }
    auto const* const wait = std::get_if<windowing::wait_until>(&step);
    if (!wait || !lead.pending.caught_up()) co_return co_await fetch_if_worth(now, look_again);
    warn_of_standing_still(*wait, now);
    look_at(*wait, now, look_again);
    co_return false;
}

windowing::moment partition_worker::now() const { return runtime_.clocks.now(lead_->newest_created); }

/// Not later than in a minute: the database's clock may be set.
void partition_worker::look_at(windowing::wait_until wait, windowing::moment now,
                               std::optional<steady_time>& look_again) const {
    if (!wait.when) return;
    auto const present = env_.time->now();
    bool const steady = wait.by == windowing::timeline::steady;
    auto const left = store::saturating_difference(*wait.when, steady ? now.steady : now.clock);
    auto const from = steady ? steady_time(milliseconds(now.steady)) : present;
    auto const until = std::max(from + milliseconds(std::clamp<time_ms>(left, 0, longest_wait.count())), present);
    look_again = look_again ? std::min(*look_again, until) : until;
}

/// Windows whose bounds are stamps close by stamps alone: what was stamped by a clock that was ahead cannot be taken
/// back, and all that comes is stamped likewise until the clock has caught up.
void partition_worker::warn_of_standing_still(windowing::wait_until wait, windowing::moment now) {
    auto& lead = *lead_;
    auto const behind = now.stamp - now.clock;
    auto const stands = wait.when && wait.by == windowing::timeline::stamps && behind > tolerated_difference.count();
    if (stands && !lead.warned_of_clock)
        say("time windows stand still until " + utc_text(*wait.when) + ": the last message is stamped " +
            std::to_string(behind / 1'000) + " s ahead of the database's clock, which was set back");
    lead.warned_of_clock = stands;
}

asio::awaitable<void> partition_worker::emit(windowing::cut made) {
    auto& lead = *lead_;
    std::shared_ptr<boost::json::array const> content;
    if (auto const& emitter = lead.planner.emitter()) {
        auto const taken = windowing::messages_of(made, group_.log.partition);
        try {
            content = std::make_shared<boost::json::array const>(emitter->query(taken));
        } catch (std::exception const& problem) {
            throw error(errc::emitter_failed, std::string("the emitter's query failed: ") + problem.what());
        }
    }
    auto const rebuildable = made.rebuildable;
    auto const handle = lead.tracker.open(made);
    auto id = windowing::window_id(group_.group, group_.log.partition, made);
    auto const window = std::make_shared<window_record>(std::move(id), member_->stream.name, group_.log.partition,
                                                        std::move(made), weak_from_this(), handle, std::move(content));
    lead.open.emplace(handle, window);
    for (bool recorded = rebuildable; !recorded && !lead.lost;) {
        std::optional<error> trouble;
        try {
            co_await saved();
            recorded = true;
        } catch (error const& problem) {
            if (lead.lost || member_->stopping || lasting(problem)) throw;
            trouble = problem;
        }
        if (trouble) co_await back_off(*trouble);
    }
    if (!lead.lost) member_->offer(window, false);
}

/// At the end: what the strategy still finds, then what is left in last windows.
asio::awaitable<void> partition_worker::drain_remainder() {
    auto& lead = *lead_;
    lead.pending.set_caught_up(false);
    while (!lead.lost && lead.open.size() < static_cast<std::size_t>(member_->options.max_in_flight)) {
        auto step = lead.planner.flush(lead.pending, now());
        if (auto* cut = std::get_if<windowing::cut>(&step)) {
            co_await emit(std::move(*cut));
        } else if (auto* discards = std::get_if<windowing::discard_only>(&step)) {
            lead.tracker.discard(discards->discarded);
            save();
        } else if (std::holds_alternative<windowing::read_on>(step)) {
            co_await fetch();
        } else {
            lead.flushed = true;
        }
        if (lead.flushed) co_return;
    }
}

asio::awaitable<void> partition_worker::release() {
    auto& lead = *lead_;
    member_->withdraw(*this);  // what was made and not taken could not be committed any more
    // Failures that were not stored yet count on the next holder's side.
    if (lead.saving || lead.save_again) co_await saved();
    if (!member_->options.keep && lead.tracker.snapshot().low_number > lead.trimmed) {
        store::write_request request = trim_request();
        co_await written<store::trim_result>(env_, patience_, *runtime_.writes, std::move(request));
    }
    lead.lost = true;
    acquisition_.clear();
    store::write_request last = store::release_request{group_, lead.epoch};
    co_await written<store::done>(env_, patience_, *runtime_.writes, std::move(last));
    // A standby in this process hears of it here; those in others through the store.
    runtime_.change_seen();
}

bool lasting(error const& problem) { return store::recovery_from(problem.code()) == store::recovery::never; }

}  // namespace minibatch::runtime
