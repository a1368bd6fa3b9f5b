#pragma once

#include <string>

/// Names that are unique: host names and process ids repeat, within containers above all.
namespace minibatch::runtime {

/// What a handle is called as the holder of leases: host, process and a random part.
std::string new_owner();

/// A random name for one acquisition of a lease.
std::string new_acquisition();

}  // namespace minibatch::runtime
