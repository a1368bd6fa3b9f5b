#pragma once

#include <algorithm>
#include <optional>

#include "log/segment.hpp"
#include "store/time_arithmetic.hpp"

namespace minibatch::windowing {

using log::time_ms;

/// What strategies are told of the time. The database's clock may be set, so that it is no measure of how much time has
/// passed; stamps never go back, so that they stand still while that clock is behind the last record.
struct moment {
    /// The database's clock. May go back.
    time_ms clock = 0;
    /// What a record would be stamped with now: `clock`, but never below the `created` of the last record. Bounds of
    /// windows are stamps.
    time_ms stamp = 0;
    /// Milliseconds that have passed since some time before the process began, whatever is done to the clock. Durations
    /// are measured by it.
    time_ms steady = 0;

    static moment of(time_ms clock, time_ms last_created, time_ms steady) noexcept {
        return {clock, std::max(clock, last_created), steady};
    }
};

/// Which of these an announced time belongs to.
enum class timeline { steady, stamps };

/// When a message arrived that is read at `now`, by the steady clock. Its age is what its stamp says, but it is not
/// older than the steady time `after` at which the log was known to end before it, and never from the future.
inline time_ms arrival(time_ms created, moment now, std::optional<time_ms> after) noexcept {
    auto const age = std::max<time_ms>(store::saturating_difference(now.clock, created), 0);
    return now.steady - (after ? std::min(age, std::max<time_ms>(now.steady - *after, 0)) : age);
}

}  // namespace minibatch::windowing
