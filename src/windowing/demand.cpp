#include "windowing/demand.hpp"

namespace minibatch::windowing {

demand demand_of(detail::strategy_parts const& parts, pending_log const& pending, moment now) {
    demand found;
    if (!parts.count || parts.max_bytes || parts.fixed || parts.relaxed || parts.custom || pending.first_recorded())
        return found;
    // Windows that are complete are cut without reading: what is left over counts.
    auto const open = pending.count() % *parts.count;
    found.missing = found.worth = *parts.count - open;
    if (!parts.max_age) return found;
    if (open == 0) {
        found.worth = 1;
    } else if (pending.count() == open) {
        auto const due = pending.front_arrived() + parts.max_age->count();
        if (now.steady < due)
            found.due = due;
        else
            found.worth = 1;
    }
    return found;
}

}  // namespace minibatch::windowing
