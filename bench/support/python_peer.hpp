#pragma once

#include <string>
#include <vector>

#include "support/options.hpp"

namespace bench {

/// Runs a script of bench/peers with the interpreter `options::python`; the figure that it prints.
double python_peer(options const& how, std::string const& script, std::vector<std::string> const& arguments);

}  // namespace bench
