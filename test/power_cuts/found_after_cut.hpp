#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "power_cuts/workload.hpp"

namespace minibatch::test {

enum class promise {
    each,    // what was acknowledged is there
    prefix,  // what is there is all that was asked for up to some moment
};

/// Opens the database that a power cut behind the first `cut` events has left in `directory`, with the product, and
/// compares it with what the program was told by then. Each sentence is something that must not be. The database must
/// also be usable: something is appended to it.
std::vector<std::string> violations(std::filesystem::path const& directory, std::vector<operation> const& operations,
                                    std::size_t cut, promise kept);

}  // namespace minibatch::test
