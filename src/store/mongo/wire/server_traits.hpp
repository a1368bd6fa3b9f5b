#pragma once

#include "bson/fields.hpp"
#include "store/mongo/wire/client_pool.hpp"

namespace minibatch::store::mongo {

/// The properties of a server.
struct server_traits {
    bool transactions = false;  // of several documents; and change streams, which need the same
    bool sharded = false;
    time_ms local_time = 0;
    steady_time asked{};
    steady_time answered{};
};

/// From the answer to `hello`. Throws errc::unsupported if the server is too old.
server_traits read_hello(bson::fields const& hello, std::string const& hosts);

/// Asks the server, repeatedly until the deadline. Throws errc::unavailable, errc::access_denied or errc::unsupported.
server_traits greet(client_pool& clients, steady_time deadline);

/// Throws errc::access_denied unless the database may be read.
void check_rights(client_pool& clients, steady_time deadline);

}  // namespace minibatch::store::mongo
