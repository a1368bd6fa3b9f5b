#pragma once

#include <exception>
#include <minibatch/error.hpp>
#include <optional>

namespace minibatch::detail {

/// The error that an exception stands for; none without an exception.
std::optional<error> to_error(std::exception_ptr const& problem);

}  // namespace minibatch::detail
