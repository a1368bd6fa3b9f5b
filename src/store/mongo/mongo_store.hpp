#pragma once

#include <memory>
#include <string>

#include "store/store.hpp"

namespace minibatch::store {

/// Opens a MongoDB database, version 4.2 or later: a replica set, a sharded cluster, or, without commits with writes
/// and with polling in place of change streams, a standalone server. The URL is as MongoDB's, with the name of the
/// database.
///
/// Errors: errc::invalid_url, errc::unavailable, errc::access_denied, errc::unsupported.
std::shared_ptr<store> open_mongo(std::string const& url, open_options const& options);

}  // namespace minibatch::store
