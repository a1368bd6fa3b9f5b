#pragma once

#include <memory>
#include <string>

#include "store/store.hpp"

namespace minibatch::store {

/// A store in an SQLite database; `path` is created if it does not exist, but not its directory.
std::shared_ptr<store> open_sqlite(std::string const& path, bool synchronous_full, open_options const& options);

}  // namespace minibatch::store
