#pragma once

#include <minibatch/error.hpp>

namespace minibatch::store {

/// What can be expected of trying again what ended with an error.
enum class recovery {
    by_itself,  ///< the cause may pass: an outage, a busy or full database
    by_action,  ///< something has to change first: a right, an option, an emitter
    never,      ///< trying again is of no use
};

/// The one place that decides which errors may be tried again.
recovery recovery_from(error_code code) noexcept;

}  // namespace minibatch::store
