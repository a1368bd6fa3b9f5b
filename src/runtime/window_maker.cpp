#include "runtime/window_maker.hpp"

#include <algorithm>

#include "runtime/lasting.hpp"
#include "store/time_arithmetic.hpp"

namespace minibatch::runtime {
namespace {

constexpr milliseconds longest_wait{60'000};
/// Between the database's clock and stamps: that of a remote database is estimated.
constexpr milliseconds tolerated_difference{1'000};

}  // namespace

asio::awaitable<bool> window_maker::step(std::optional<steady_time>& look_again) {
    reader_.look_again();
    auto const now = reader_.now();
    auto step = planner_.next(pending_, now);
    if (auto* cut = std::get_if<windowing::cut>(&step)) {
        co_await deliver(std::move(*cut));
        co_return true;
    }
    if (auto const* messages = std::get_if<windowing::discard_only>(&step)) {
        discard(*messages);
        co_return true;
    }
    if (auto const* log = std::get_if<windowing::seal_until>(&step)) {
        co_await seal(log->time);
        co_return true;
    }
    auto const* const wait = std::get_if<windowing::wait_until>(&step);
    if (!wait || !pending_.caught_up()) {
        auto const required = planner_.required(pending_, now);
        if (co_await reader_.read_if_worth(required)) co_return true;
        look_at({required.due}, now, look_again);
        co_return false;
    }
    warn_of_standing_still(*wait, now);
    look_at(*wait, now, look_again);
    co_return false;
}

asio::awaitable<void> window_maker::flush() {
    pending_.set_caught_up(false);
    while (!lease_.over() && !flushed_ && has_room()) {
        auto const now = reader_.now();
        auto step = planner_.flush(pending_, now);
        if (auto* cut = std::get_if<windowing::cut>(&step)) {
            co_await deliver(std::move(*cut));
        } else if (auto const* messages = std::get_if<windowing::discard_only>(&step)) {
            discard(*messages);
        } else if (std::holds_alternative<windowing::read_on>(step)) {
            auto const required = planner_.required(pending_, now);
            co_await reader_.read(required);
        } else {
            flushed_ = true;
        }
    }
}

asio::awaitable<void> window_maker::seal(time_ms until) {
    store::write_request request = store::seal_request{context_.group.log, until};
    auto const sealed = co_await written<store::seal_result>(context_.env, context_.budget, *context_.runtime.writes,
                                                             std::move(request));
    pending_.sealed(until, sealed.end.offset);
    reader_.learn_end(sealed.end);
}

void window_maker::discard(windowing::discard_only const& messages) {
    tracker_.discard(messages.discarded);
    saver_.save();
}

/// A window that could not be cut again is stored before its first delivery.
asio::awaitable<void> window_maker::deliver(windowing::cut made) {
    auto recorded = made.rebuildable;
    auto const window = make(std::move(made));
    while (!recorded && !lease_.over()) {
        std::optional<error> trouble;
        try {
            co_await saver_.saved();
            recorded = true;
        } catch (error const& problem) {
            if (lease_.over() || context_.member.stopping || lasting(problem)) throw;
            trouble = problem;
        }
        if (trouble) co_await outage_.after(*trouble, &lease_);
    }
    if (!lease_.over()) context_.member.offer(window, false);
}

window_ptr window_maker::make(windowing::cut made) {
    auto const& group = context_.group;
    std::shared_ptr<boost::json::array const> content;
    if (auto const& emitter = planner_.emitter()) {
        auto const taken = windowing::messages_of(made, group.log.partition);
        try {
            content = std::make_shared<boost::json::array const>(emitter->query(taken));
        } catch (std::exception const& problem) {
            throw error(errc::emitter_failed, std::string("the emitter's query failed: ") + problem.what());
        }
    }
    auto const handle = tracker_.open(made);
    auto id = windowing::window_id(group.group, group.log.partition, made);
    auto window = std::make_shared<window_record>(std::move(id), context_.member.stream.name, group.log.partition,
                                                  std::move(made), worker_, handle, std::move(content));
    book_.add(window);
    return window;
}

/// Not later than in a minute: the database's clock may be set.
void window_maker::look_at(windowing::wait_until wait, windowing::moment now,
                           std::optional<steady_time>& look_again) const {
    if (!wait.when) return;
    auto const present = context_.env.time->now();
    bool const steady = wait.by == windowing::timeline::steady;
    auto const left = store::saturating_difference(*wait.when, steady ? now.steady : now.clock);
    auto const from = steady ? steady_time(milliseconds(now.steady)) : present;
    auto const until = std::max(from + milliseconds(std::clamp<time_ms>(left, 0, longest_wait.count())), present);
    look_again = look_again ? std::min(*look_again, until) : until;
}

/// Windows whose bounds are stamps close by stamps alone: what was stamped by a clock that was ahead cannot be taken
/// back, and all that comes is stamped likewise until the clock has caught up.
void window_maker::warn_of_standing_still(windowing::wait_until wait, windowing::moment now) {
    auto const behind = now.stamp - now.clock;
    auto const stands = wait.when && wait.by == windowing::timeline::stamps && behind > tolerated_difference.count();
    if (stands && !warned_of_clock_)
        context_.warn("time windows stand still until " + utc_text(*wait.when) + ": the last message is stamped " +
                      std::to_string(behind / 1'000) + " s ahead of the database's clock, which was set back");
    warned_of_clock_ = stands;
}

}  // namespace minibatch::runtime
