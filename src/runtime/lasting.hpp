#pragma once

#include "store/recovery.hpp"

namespace minibatch::runtime {

/// Errors after which a consumer does not try again.
inline bool lasting(error const& problem) { return store::recovery_from(problem.code()) == store::recovery::never; }

}  // namespace minibatch::runtime
