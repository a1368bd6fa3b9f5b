#include <algorithm>

#include "windowing/planner.hpp"
#include "windowing/time_grid.hpp"

namespace minibatch::windowing {
namespace {

/// Windows are named by their number in the grid.
class fixed_policy final : public policy {
  public:
    fixed_policy(detail::strategy_parts::fixed_part const& how, store::progress const& from)
        : grid_(how.interval, how.options.offset, how.options.time_zone),
          max_empty_(how.options.max_empty),
          emit_empty_(how.options.emit_empty),
          next_(grid_.index_of(from.windows_end.value_or(from.start_time))) {}

    step next(pending_log& pending, moment now) override {
        // Never later than the first message: after a flush its window may go on.
        if (!pending.empty()) next_ = std::min(next_, first_of(pending));
        if (!emit_empty_) {
            if (pending.empty()) return pending.caught_up() ? step(wait_until{}) : step(read_on{});
            next_ = first_of(pending);
        }
        while (true) {
            if (!pending.empty() && first_of(pending) == next_) {
                if (pending.newest() < grid_.end_of(next_)) return close_later(pending, now);
                return data(pending, window_reason::time, true);
            }
            auto const settled = pending.settled_from(grid_.start_of(next_));
            if (settled && grid_.index_of(settled->begin) == next_) {
                auto last = grid_.index_of(settled->end - 1);
                if (!pending.empty()) last = std::min(last, first_of(pending));
                next_ = std::max(grid_.first_from(next_ + 1), last);
                continue;
            }
            auto run_end =
                pending.empty() ? grid_.index_of(std::max(pending.newest(), grid_.start_of(next_))) : first_of(pending);
            auto end_known = !pending.empty();
            if (settled && grid_.index_of(settled->begin) <= run_end) {
                run_end = grid_.index_of(settled->begin);
                end_known = true;
            }
            if (run_end <= next_) return close_later(pending, now);
            // Which ones are the latest of a run is known only once its end is.
            if (!end_known && !pending.caught_up()) return read_on{};
            if (run_end - next_ > max_empty_) next_ = grid_.first_from(run_end - max_empty_);
            if (next_ < run_end) return bounded(make_cut({}, window_reason::time, true));
        }
    }

    std::optional<cut> flush(pending_log& pending, moment) override {
        if (pending.empty()) return std::nullopt;
        next_ = first_of(pending);
        return data(pending, window_reason::flush, false);
    }

  private:
    std::int64_t first_of(pending_log const& pending) const { return grid_.index_of(pending.front_created()); }

    step close_later(pending_log const& pending, moment now) const {
        if (!pending.caught_up()) return read_on{};
        auto const end = grid_.end_of(next_);
        if (now.stamp < end) return wait_until{end, timeline::stamps};
        return seal_until{grid_.start_of(grid_.index_of(now.stamp))};  // one seal for all windows that are over
    }

    cut data(pending_log& pending, window_reason reason, bool rebuildable) {
        return bounded(make_cut(pending.take_before(grid_.end_of(next_)), reason, rebuildable));
    }

    cut bounded(cut made) {
        made.start = grid_.start_of(next_);
        made.end = grid_.end_of(next_);
        made.windows_end = made.end;
        next_ = grid_.first_from(next_ + 1);
        return made;
    }

    time_grid grid_;
    std::int64_t max_empty_;
    bool emit_empty_;
    std::int64_t next_;
};

}  // namespace

std::unique_ptr<policy> make_fixed_policy(detail::strategy_parts::fixed_part const& how, store::progress const& from) {
    return std::make_unique<fixed_policy>(how, from);
}

}  // namespace minibatch::windowing
