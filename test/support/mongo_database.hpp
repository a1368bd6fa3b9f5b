#pragma once

#include <string>

#include "support/mongo_server.hpp"

namespace minibatch::test {

/// The server that all tests of this program share, started by the first that asks. Not to be killed, paused or given
/// fail points: who does that starts a `mongo_server` of their own. Any thread.
mongo_server& shared_mongo_server();

/// The URL of a database that nobody has used: on the server that the environment variable MINIBATCH_TEST_MONGO_URL
/// names, else on the shared one. Such a database on a named server is dropped when the program ends. Further
/// parameters can be added to it with `&`. Any thread. Throws std::runtime_error.
std::string fresh_database_url();

/// The URL of a database on the server of another URL, whose own database is left out. Further parameters can be added
/// to it with `&`. Throws std::runtime_error if `server` is no URL.
std::string url_of_database(std::string const& server, std::string const& database);

}  // namespace minibatch::test
