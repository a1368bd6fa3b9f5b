#pragma once

#include <functional>
#include <minibatch/log.hpp>

#include "store/types.hpp"

namespace minibatch::runtime {

/// A log callback that passes lines on to another one. A line that is repeated is passed on at growing intervals, 1 s
/// at first, twice as long each time up to 10 min, with the number of repetitions that were left out. A line that has
/// not come for a minute longer than its interval counts as new. Thread-safe; `to` is never called while a lock is
/// held.
log_callback throttle_repetitions(log_callback to, std::function<store::steady_time()> now);

}  // namespace minibatch::runtime
