#include <algorithm>

#include "windowing/planner.hpp"
#include "windowing/scanner.hpp"

namespace minibatch::windowing {
namespace {

std::int64_t bytes_limit(detail::strategy_parts const& parts) {
    return std::min(parts.max_bytes.value_or(window_bytes_limit), window_bytes_limit);
}

// Its windows depend on when they are cut, so that there are no barriers to keep and all are recorded. Ticks are by the
// steady clock, bounds are stamps.
class relaxed_policy final : public policy {
  public:
    relaxed_policy(detail::strategy_parts const& parts, store::progress const& from)
        : scan_(parts.count, bytes_limit(parts), false),
          interval_(parts.relaxed->interval.count()),
          emit_empty_(parts.relaxed->options.emit_empty),
          last_(from.windows_end) {
        if (parts.max_age) age_ = parts.max_age->count();
        for (auto const& each : from.recorded) {
            if (each.windows_end) last_ = std::max(last_.value_or(*each.windows_end), *each.windows_end);
        }
        for (auto const& each : from.windows_done) last_ = std::max(last_.value_or(each.end), each.end);
    }

    step next(pending_log& pending, moment now) override {
        start(now);
        if (auto const found = scan_.find(pending)) return early(pending, found->count, found->reason, now);
        if (!pending.caught_up()) return read_on{};
        if (pending.empty() && !emit_empty_) {
            idle_ = true;
            return wait_until{};
        }
        if (idle_) skip_idle_ticks(pending.front_arrived(), now);
        if (now.steady >= *tick_) {
            // A tick missed by a whole interval is an overrun: what was missed is not caught up.
            tick_ = now.steady - *tick_ < interval_ ? *tick_ + interval_ : now.steady + interval_;
            return bounded(make_cut(pending.take_front(pending.count()), window_reason::time, false), now);
        }
        if (!age_ || pending.empty()) return wait_until{tick_};
        auto const due = pending.front_arrived() + *age_;
        if (now.steady < due) return wait_until{std::min(due, *tick_)};
        return early(pending, pending.count(), window_reason::timeout, now);
    }

    std::optional<cut> flush(pending_log& pending, moment now) override {
        start(now);
        if (pending.empty()) return std::nullopt;
        return early(pending, pending.count(), window_reason::flush, now);
    }

  private:
    // Where it goes on after a restart, what is left of the interval is known by stamps alone. It is not more than the
    // interval, however far the clock was ahead.
    void start(moment now) {
        if (tick_) return;
        if (!last_) last_ = now.stamp;
        tick_ = now.steady + std::min(*last_ + interval_ - now.stamp, interval_);
    }

    // The ticks at which nothing had arrived while it waited for a message.
    void skip_idle_ticks(time_ms arrived, moment now) {
        idle_ = false;
        if (arrived < *tick_) return;
        tick_ = *tick_ + ((arrived - *tick_) / interval_ + 1) * interval_;
        auto const before = now.stamp - (now.steady - (*tick_ - interval_));
        last_ = std::max(*last_, before);
    }

    cut early(pending_log& pending, std::int64_t count, window_reason reason, moment now) {
        idle_ = false;
        tick_ = now.steady + interval_;
        return bounded(make_cut(pending.take_front(count), reason, false), now);
    }

    cut bounded(cut made, moment now) {
        auto const empty = made.first < 0;
        made.start = empty ? *last_ : std::min(*last_, made.start);
        // Empty windows are told apart by their start, also while stamps stand still.
        made.end = std::max(empty ? *last_ + 1 : *last_, now.stamp);
        last_ = made.end;
        made.windows_end = made.end;
        return made;
    }

    scanner scan_;
    time_ms interval_;
    std::optional<time_ms> age_;
    bool emit_empty_;
    std::optional<time_ms> last_;  // end of the last window: a stamp
    std::optional<time_ms> tick_;  // of the next window, by the steady clock; known from the first call on
    bool idle_ = false;
};

}  // namespace

std::unique_ptr<policy> make_relaxed_policy(detail::strategy_parts const& parts, store::progress const& from) {
    return std::make_unique<relaxed_policy>(parts, from);
}

}  // namespace minibatch::windowing
