#pragma once

#include <string>

#include "reliability/checks.hpp"
#include "reliability/history.hpp"

/// What the tests that kill processes have in common.
namespace minibatch::test {

/// How workers are run and killed, and what their windows must look like.
struct kill_plan {
    expectation windows;
    /// As the worker knows it: count:N, relaxed:MS, fixed:MS.
    std::string strategy;
    bool keep = false;
    int kills = 0;  // of the long form; the short one has a third of them
};

/// How many kills this run makes.
int kills_of_run(kill_plan const& how);

/// The options that the consumers of this plan are started with.
std::vector<std::string> consuming(kill_plan const& how);

/// Checks all that the workers have told, and what is left in the database: what was acknowledged is in windows, once
/// and in order; the log holds the same if messages are kept, else no more than its last record; and the kills must
/// have hit something. Prints one line about it.
void check_after_kills(kill_plan const& how, history const& told, std::string const& url);

}  // namespace minibatch::test
