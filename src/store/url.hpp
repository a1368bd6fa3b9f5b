#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace minibatch::store {

/// A database URL taken apart; percent-encoding is undone.
struct database_url {
    std::string scheme;
    std::string path;  // a file, or the name of a shared memory store; of mongodb URLs everything, undecoded
    std::vector<std::pair<std::string, std::string>> parameters;
};

/// The letters of ASCII in lower case: names of schemes and parameters are compared so.
std::string lower(std::string_view text);

/// Throws errc::invalid_url on an unknown scheme or parameter or bad encoding, and says which.
database_url parse_url(std::string_view url);

/// The URL for messages: without user name and password, and without the values of parameters that may be secret. Where
/// something that is no number stands for a port, it is taken for a password whose host was forgotten.
std::string redact(std::string_view url);

/// MINIBATCH_URL, MINIBATCH_MONGO_URL or MONGO_URL from the environment, else `sqlite:minibatch.db`.
std::string default_url();

}  // namespace minibatch::store
