#pragma once

#include "store/mongo/wire/answer_origin.hpp"
#include "store/mongo/wire/driver.hpp"

namespace minibatch::store::mongo {

/// A stream initiator for `mongoc_client_set_stream_initiator`: a TCP or Unix connection, with TLS if the URI says so.
/// Its operations end with the `time_limit` of the thread: a call of the driver can otherwise neither be given a time
/// limit nor be interrupted.
extern "C" mongoc_stream_t* minibatch_mongo_connect(mongoc_uri_t const* uri, mongoc_host_list_t const* host,
                                                    void* unused, bson_error_t* problem);

/// The connection from which this thread has last read since `forget_route`, with the current `newest`. Unknown with
/// drivers that create the connections themselves (2.x).
route last_route() noexcept;
void forget_route() noexcept;

}  // namespace minibatch::store::mongo
