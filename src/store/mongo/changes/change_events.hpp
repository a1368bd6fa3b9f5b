#pragma once

#include <optional>
#include <string>
#include <utility>

#include "store/mongo/layout.hpp"
#include "store/mongo/wire/client_pool.hpp"

/// The pipeline of the change stream, and the interpretation of its events.
namespace minibatch::store::mongo {

/// The stages of its pipeline: new messages, deleted streams, and leases that change hands; not renewals, nor progress.
/// It starts after `token` or at `begin` if given.
void add_change_stages(bson::builder& stages, bson_t const* token, std::optional<cluster_time> begin);

/// The log, and the number of the record or the name of the group, from the `_id` of a document:
/// `<incarnation>/<partition>/<rest>`. Absent: it is none of ours.
std::optional<std::pair<log_id, std::string>> parse_change_key(std::string const& key);

}  // namespace minibatch::store::mongo
