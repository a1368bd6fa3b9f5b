#pragma once

#include <mongoc/mongoc.h>

#include <memory>

namespace minibatch::store::mongo {

struct uri_deleter {
    void operator()(mongoc_uri_t* uri) const noexcept { mongoc_uri_destroy(uri); }
};
using uri_ptr = std::unique_ptr<mongoc_uri_t, uri_deleter>;

struct pool_deleter {
    void operator()(mongoc_client_pool_t* pool) const noexcept { mongoc_client_pool_destroy(pool); }
};
using pool_ptr = std::unique_ptr<mongoc_client_pool_t, pool_deleter>;

struct session_deleter {
    void operator()(mongoc_client_session_t* session) const noexcept { mongoc_client_session_destroy(session); }
};
using session_ptr = std::unique_ptr<mongoc_client_session_t, session_deleter>;

/// Initializes the driver once in the process. It is never cleaned up, since others may use it, too. Its log is
/// silenced: its errors say the same, and by default it writes to standard error.
void start_driver();

}  // namespace minibatch::store::mongo
