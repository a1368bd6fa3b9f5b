#include "windowing/planner.hpp"

#include <minibatch/error.hpp>

namespace minibatch::windowing {

planner::planner(strategy const& how, store::progress const& from, int partition)
    : by_stamps_(how.parts().fixed.has_value()) {
    auto const& parts = how.parts();
    if (parts.custom) {
        emitter_ = parts.custom();
        if (!emitter_) throw error(errc::emitter_failed, "the factory of the custom window has made no emitter");
        policy_ = make_custom_policy(emitter_, partition);
    } else if (parts.fixed) {
        policy_ = make_fixed_policy(*parts.fixed, from);
    } else if (parts.relaxed) {
        policy_ = make_relaxed_policy(parts, from);
    } else {
        policy_ = make_trigger_policy(parts);
    }
}

// Recorded windows were open before: they come in their place by offset, ahead of what is cut now.
std::optional<step> planner::recorded_in_place(pending_log& pending) {
    while (true) {
        auto const first = pending.first_recorded();
        if (!first || *first > pending.front()) return std::nullopt;
        if (auto window = pending.take_recorded()) return *std::move(window);
        if (pending.first_recorded() != first) continue;  // retention has removed it
        if (!pending.caught_up()) return read_on{};
        return std::nullopt;
    }
}

step planner::next(pending_log& pending, moment now) {
    if (auto recorded = recorded_in_place(pending)) return *std::move(recorded);
    // Look before asking: the answer of a policy cannot be put back.
    auto answer = policy_->next(pending, now);
    bool const nothing = !std::holds_alternative<cut>(answer) && !std::holds_alternative<discard_only>(answer);
    if (nothing && pending.has_recorded()) {
        if (auto window = pending.take_recorded()) return *std::move(window);
    }
    return answer;
}

read_requirement planner::required(pending_log const& pending, moment now) const {
    // Recorded windows are looked for at once.
    return pending.first_recorded() ? read_requirement{} : policy_->required(pending, now);
}

step planner::flush(pending_log& pending, moment now) {
    if (auto recorded = recorded_in_place(pending)) return *std::move(recorded);
    auto answer = policy_->next(pending, now);
    auto const* const window = std::get_if<cut>(&answer);
    auto const endless = emitter_ && window && window->first < 0 && window->discarded.empty();
    bool const found = std::holds_alternative<cut>(answer) || std::holds_alternative<discard_only>(answer);
    if (found && !endless) return answer;
    if (auto recorded = pending.take_recorded()) return *std::move(recorded);
    if (!pending.caught_up()) return read_on{};
    if (auto rest = policy_->flush(pending, now)) return *std::move(rest);
    return wait_until{};
}

}  // namespace minibatch::windowing
