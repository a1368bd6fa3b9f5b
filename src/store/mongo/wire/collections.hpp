#pragma once

#include <string>
#include <utility>
#include <vector>

#include "store/mongo/wire/client_pool.hpp"

namespace minibatch::store::mongo {

/// As `store::read_collection`: the `_id` if it is text, and the rest as JSON.
std::vector<std::pair<std::string, std::string>> read_collection(client_pool& clients, std::string const& name,
                                                                 steady_time deadline);

}  // namespace minibatch::store::mongo
