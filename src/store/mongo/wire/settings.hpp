#pragma once

#include <chrono>
#include <string>

#include "store/mongo/wire/driver.hpp"

namespace minibatch::store::mongo {

/// The settings of a `mongodb://` or `mongodb+srv://` URL, with our defaults.
///
/// Defaults: authSource=admin, w=majority, journal=true, readConcernLevel=majority, retryWrites=false (each write of a
/// store is idempotent, so that the bookkeeping of the driver is not needed), heartbeatFrequencyMS=2000,
/// appName=minibatch.
struct settings {
    uri_ptr uri;
    std::string database;
    /// The hosts, for messages: `db1:27017,db2:27017`.
    std::string hosts;
    /// Empty when the write concern is `w: 0`, which is refused.
    bool majority_writes = true;
    bool journal = true;
    int acknowledgements = 0;  // when not by a majority
    std::string tag;           // of a custom write concern
    std::string read_concern;  // level
    bool retry_writes = false;
};

/// Throws errc::invalid_url, naming the option; credentials do not appear in the message. `clients` is how many
/// connections will be used at the same time, `timeout` how long opening may take.
settings parse_settings(std::string const& url, int clients,
                        std::chrono::milliseconds timeout = std::chrono::seconds(5));

}  // namespace minibatch::store::mongo
