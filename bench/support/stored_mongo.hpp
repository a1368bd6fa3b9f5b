#pragma once

#include <cstdint>
#include <string>

#include "support/stored.hpp"

namespace bench {

/// What the only stream of a minibatch database on MongoDB holds, read with the driver alone. Throws if records or
/// offsets have gaps.
struct stored_on_mongo : stored {
    std::string first_messages;  // BSON of the messages in the first segment
};
stored_on_mongo read_stored_on_mongo(std::string const& url);

/// Throws unless `producers` have stored `count` documents each, producer p those from p·count on, each in its order.
void require_order_of_each(stored const& found, std::int64_t producers, std::int64_t count);

}  // namespace bench
