#pragma once

#include "store/mongo/wire/answer_origin.hpp"
#include "store/mongo/wire/driver.hpp"

namespace minibatch::store::mongo {

/// A stream initiator for `mongoc_client_set_stream_initiator`: a TCP or Unix connection, with TLS if the URI says so.
/// What is done on it ends with the `time_limit` of the thread: a call of the driver can otherwise not be given a time
/// of its own, nor be interrupted.
extern "C" mongoc_stream_t* minibatch_mongo_connect(mongoc_uri_t const* uri, mongoc_host_list_t const* host,
                                                    void* unused, bson_error_t* problem);

/// The connection of ours from which this thread has read last, since `forget_route`; `newest` is as of now. Unknown
/// with drivers that make the connections themselves (2.x).
route last_route() noexcept;
void forget_route() noexcept;

}  // namespace minibatch::store::mongo
