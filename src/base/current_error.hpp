#pragma once

#include <minibatch/error.hpp>

namespace minibatch::base {

/// The exception that is being handled, as an error of the library. Call it in a catch block only. `minibatch::error`
/// is returned as it is. Exhausted memory, threads, descriptors and the like are `errc::unavailable`: trying again
/// later may succeed. Everything else is `errc::store_failure` with the exception's text.
///
/// `doing` begins the diagnostics, as in "connect: out of memory"; null: nothing does.
error current_error(char const* doing = nullptr);

}  // namespace minibatch::base
