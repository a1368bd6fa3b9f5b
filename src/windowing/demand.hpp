#pragma once

#include <minibatch/strategy.hpp>
#include <optional>

#include "windowing/pending_log.hpp"

namespace minibatch::windowing {

/// What has to be read for the next window that cannot be cut from what is pending.
struct demand {
    /// So many messages more complete it by their number. Absent: that is not all that closes it, or nothing is known
    /// of it, so that each new record has to be looked at.
    std::optional<std::int64_t> missing;
    /// If present `missing`: it is worth reading once the log has so many messages that were not fed. With fewer no
    /// window closes. At least 1.
    std::int64_t worth = 1;
    /// From then on, by the steady clock, a single one is worth it.
    std::optional<time_ms> due;
};

/// For pure counts, with or without `max_age`. The age runs from the first message, which is read at once, since its
/// age must be known, and so is whatever there is when the age is due.
demand demand_of(detail::strategy_parts const& parts, pending_log const& pending, moment now);

}  // namespace minibatch::windowing
