#pragma once

#include <memory>
#include <string>

#include "store/store.hpp"

namespace minibatch::store {

/// A store in the memory of this process. Handles opened with the same non-empty name share their content.
std::shared_ptr<store> open_memory(std::string const& name, open_options const& options);

}  // namespace minibatch::store
