#include "windowing/planner.hpp"

#include <minibatch/error.hpp>

namespace minibatch::windowing {

planner::planner(strategy const& how, store::progress const& from, int partition) {
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

step planner::next(pending_log& pending, time_ms now) {
    // Recorded windows were open before: they come in their place by offset, ahead of what is cut now.
    while (true) {
        auto const first = pending.first_recorded();
        if (!first || *first > pending.front()) break;
        if (auto window = pending.take_recorded()) return *std::move(window);
        if (pending.first_recorded() != first) continue;  // retention has removed it
        if (!pending.caught_up()) return read_on{};
        break;
    }
    // Look before asking: the answer of a policy cannot be put back.
    auto answer = policy_->next(pending, now);
    bool const nothing = !std::holds_alternative<cut>(answer) && !std::holds_alternative<discard_only>(answer);
    if (nothing && pending.has_recorded()) {
        if (auto window = pending.take_recorded()) return *std::move(window);
    }
    return answer;
}

std::optional<cut> planner::flush(pending_log& pending, time_ms now) {
    if (pending.has_recorded()) {
        if (auto window = pending.take_recorded()) return window;
    }
    if (!emitter_) {  // an emitter has been asked by `next`; what it discards could not be passed on here
        if (auto answer = policy_->next(pending, now); std::holds_alternative<cut>(answer)) {
            return std::get<cut>(std::move(answer));
        }
    }
    return policy_->flush(pending, now);
}

}  // namespace minibatch::windowing
