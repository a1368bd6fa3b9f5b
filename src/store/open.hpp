#pragma once

#include <memory>
#include <string>

#include "store/store.hpp"
#include "store/url.hpp"

namespace minibatch::store {

/// Opens the database that the URL names: `sqlite:PATH[?synchronous=full|normal]`, `memory:` (private to the caller) or
/// `memory:NAME` (shared in this process as long as somebody has it open).
std::shared_ptr<store> open_store(std::string const& url, open_options const& options = {});

}  // namespace minibatch::store
