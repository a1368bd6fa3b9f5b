#include <algorithm>

#include "windowing/planner.hpp"

namespace minibatch::windowing {
namespace {

class fixed_policy final : public policy {
  public:
    fixed_policy(detail::strategy_parts::fixed_part const& how, store::progress const& from)
        : interval_(how.interval.count()),
          offset_(how.options.offset.count() % interval_),
          max_empty_(how.options.max_empty),
          emit_empty_(how.options.emit_empty),
          next_(floor(from.windows_end.value_or(from.start_time))) {}

    step next(pending_log& pending, moment now) override {
        // Never later than the first message: after a flush its window may go on.
        if (!pending.empty()) next_ = std::min(next_, floor(pending.front_created()));
        if (!emit_empty_) {
            if (pending.empty()) return pending.caught_up() ? step(wait_until{}) : step(read_on{});
            next_ = floor(pending.front_created());
        }
        while (true) {
            if (!pending.empty() && floor(pending.front_created()) == next_) {
                if (pending.newest() < next_ + interval_) return close_later(pending, now);
                return data(pending, window_reason::time, true);
            }
            auto const settled = pending.settled_from(next_);
            if (settled && floor(settled->begin) == next_) {
                auto last = floor(settled->end - 1);
                if (!pending.empty()) last = std::min(last, floor(pending.front_created()));
                next_ = std::max(next_ + interval_, last);
                continue;
            }
            auto run_end = pending.empty() ? floor(std::max(pending.newest(), next_)) : floor(pending.front_created());
            auto end_known = !pending.empty();
            if (settled && floor(settled->begin) <= run_end) {
                run_end = floor(settled->begin);
                end_known = true;
            }
            if (run_end <= next_) return close_later(pending, now);
            // Which ones are the latest of a run is known only once its end is.
            if (!end_known && !pending.caught_up()) return read_on{};
            if ((run_end - next_) / interval_ > max_empty_) next_ = run_end - max_empty_ * interval_;
            if (next_ < run_end) return bounded(make_cut({}, window_reason::time, true));
        }
    }

    std::optional<cut> flush(pending_log& pending, moment) override {
        if (pending.empty()) return std::nullopt;
        next_ = floor(pending.front_created());
        return data(pending, window_reason::flush, false);
    }

  private:
    time_ms floor(time_ms time) const {
        auto const rest = (time - offset_) % interval_;
        return time - (rest < 0 ? rest + interval_ : rest);
    }

    step close_later(pending_log const& pending, moment now) const {
        if (!pending.caught_up()) return read_on{};
        auto const end = next_ + interval_;
        if (now.stamp < end) return wait_until{end, timeline::stamps};
        return seal_until{floor(now.stamp)};  // one seal for all windows that are over
    }

    cut data(pending_log& pending, window_reason reason, bool rebuildable) {
        return bounded(make_cut(pending.take_before(next_ + interval_), reason, rebuildable));
    }

    cut bounded(cut made) {
        made.start = next_;
        next_ += interval_;
        made.end = next_;
        made.windows_end = next_;
        return made;
    }

    time_ms interval_;
    time_ms offset_;
    std::int64_t max_empty_;
    bool emit_empty_;
    time_ms next_;  // start of the next window
};

}  // namespace

std::unique_ptr<policy> make_fixed_policy(detail::strategy_parts::fixed_part const& how, store::progress const& from) {
    return std::make_unique<fixed_policy>(how, from);
}

}  // namespace minibatch::windowing
