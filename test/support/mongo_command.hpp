#pragma once

#include <string>

namespace minibatch::test {

/// Runs one command on the database that `url` names (default: admin), over a connection of its own, and returns the
/// server's answer. Both are relaxed Extended JSON, for example `{"ping": 1}`. With a time-out of 10 s for finding the
/// server and for the answer, unless the URL has others. Any thread. Throws std::runtime_error with the command and
/// what the server or the driver said, also about write errors and write concern errors in the answer.
std::string mongo_command(std::string const& url, std::string const& command);

/// The same on the database admin, whatever the URL names.
std::string mongo_admin_command(std::string const& url, std::string const& command);

}  // namespace minibatch::test
