#pragma once

#include <string>
#include <string_view>

namespace minibatch::store::mongo {

/// A random id: of a batch for which the caller has given none, or of a registration.
std::string random_id();

/// The id under which a batch is stored: the caller's, and a checksum of the text. When a snapshot of a machine is
/// resumed twice, both go on with the same ids, so that the id alone would take one's batch for the other's.
std::string stored_batch(std::string const& batch, std::string_view text);

}  // namespace minibatch::store::mongo
