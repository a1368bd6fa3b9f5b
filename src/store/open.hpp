#pragma once

#include <memory>
#include <string>

#include "store/store.hpp"
#include "store/url.hpp"

namespace minibatch::store {

/// Opens the database that the URL names: `sqlite:PATH[?synchronous=full|normal]`, `memory:` (private to the caller),
/// `memory:NAME` (shared in this process as long as somebody has it open), or `mongodb://…/DATABASE` and
/// `mongodb+srv://…/DATABASE`; errc::unsupported for those in a build without MongoDB. With `read_only` the store's
/// operations that would change the database fail with errc::read_only.
std::shared_ptr<store> open_store(std::string const& url, open_options const& options = {});

}  // namespace minibatch::store
