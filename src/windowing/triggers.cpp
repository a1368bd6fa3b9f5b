#include "windowing/planner.hpp"
#include "windowing/scanner.hpp"

namespace minibatch::windowing {
namespace {

// Count, bytes and age: count and bytes over all that is available, age only at the end of the log, so that what a
// backlog is cut into does not depend on when it is read.
class trigger_policy final : public policy {
  public:
    explicit trigger_policy(detail::strategy_parts const& parts)
        : scan_(parts.count, parts.count || parts.max_bytes ? parts.max_bytes : std::optional(window_bytes_limit),
                true) {
        if (parts.max_age) age_ = parts.max_age->count();
        if (!parts.max_bytes) count_alone_ = parts.count;
    }

    step next(pending_log& pending, moment now) override {
        if (auto const found = scan_.find(pending)) {
            return make_cut(pending.take_front(found->count), found->reason, true);
        }
        if (!pending.caught_up()) return read_on{};
        if (!age_ || pending.empty()) return wait_until{};
        auto const due = pending.front_arrived() + *age_;
        if (now.steady < due) return wait_until{due};
        return make_cut(pending.take_front(pending.count()), window_reason::timeout, false);
    }

    std::optional<cut> flush(pending_log& pending, moment) override {
        if (pending.empty()) return std::nullopt;
        return make_cut(pending.take_front(pending.count()), window_reason::flush, false);
    }

    // For counts, with or without an age. The age runs from the first message, which is read at once, since its age
    // must be known, and so is whatever there is when the age is due.
    read_requirement required(pending_log const& pending, moment now) const override {
        read_requirement found;
        if (!count_alone_) return found;
        // Windows that are complete are cut without reading: what is left over counts.
        auto const open = pending.count() % *count_alone_;
        found.missing = found.worth = *count_alone_ - open;
        if (!age_) return found;
        if (open == 0) {
            found.worth = 1;
        } else if (pending.count() == open) {
            auto const due = pending.front_arrived() + *age_;
            if (now.steady < due)
                found.due = due;
            else
                found.worth = 1;
        }
        return found;
    }

  private:
    scanner scan_;
    std::optional<time_ms> age_;
    std::optional<std::int64_t> count_alone_;  // where bytes close no window
};

}  // namespace

std::unique_ptr<policy> make_trigger_policy(detail::strategy_parts const& parts) {
    return std::make_unique<trigger_policy>(parts);
}

}  // namespace minibatch::windowing
