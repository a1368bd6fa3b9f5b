#pragma once

#include <memory>

#include "store/sqlite/open_files.hpp"
#include "store/store.hpp"

namespace minibatch::store::sqlite {

/// Opens an existing database for reading: it is not written to, and no file appears beside it, unless it has a log
/// without an index, which SQLite then makes.
std::shared_ptr<store> open_for_reading(database_path const& path, open_options const& options);

}  // namespace minibatch::store::sqlite
