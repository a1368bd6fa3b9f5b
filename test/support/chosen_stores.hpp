#pragma once

#include <string>
#include <vector>

namespace minibatch::test {

/// The stores that a shared test runs on: those named in the environment variable MINIBATCH_TEST_STORES, separated by
/// spaces, else memory and sqlite.
std::vector<std::string> chosen_stores();

/// The URL of an empty database on such a store; on SQLite it is the file test.db in `directory`. Throws
/// std::runtime_error for a store that is unknown or not part of this build.
std::string empty_database(std::string const& store, std::string const& directory);

}  // namespace minibatch::test
