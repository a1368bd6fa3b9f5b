#pragma once

#include <cstdint>
#include <optional>

#include "windowing/moment.hpp"

namespace minibatch::windowing {

/// What has to be read for the next window that cannot be cut from what is pending.
struct read_requirement {
    /// So many messages more complete it by their number. Absent: that is not all that closes it, or nothing is known
    /// of it, so that each new record has to be looked at.
    std::optional<std::int64_t> missing;
    /// If `missing` is present: it is worth reading once the log has so many messages that were not fed. With fewer no
    /// window closes. At least 1.
    std::int64_t worth = 1;
    /// From then on, by the steady clock, a single one is worth it.
    std::optional<time_ms> due;
};

}  // namespace minibatch::windowing
