#pragma once

#include <atomic>

#include "store/mongo/driver.hpp"
#include "store/store.hpp"

namespace minibatch::store::mongo {

/// Bounds what this thread does on connections made by `connect_within_limit`, while it exists. A call of the driver
/// can otherwise not be given a time of its own, nor be interrupted. Limits nest.
class time_limit {
  public:
    /// By the machine's steady clock. If `interrupted` becomes true, waiting for an answer ends, soon, as if the time
    /// were over.
    explicit time_limit(steady_time deadline, std::atomic<bool> const* interrupted = nullptr);
    ~time_limit();
    time_limit(time_limit const&) = delete;
    time_limit& operator=(time_limit const&) = delete;

  private:
    time_limit const* outer_;
    steady_time deadline_;
    std::atomic<bool> const* interrupted_;
    friend struct limited_stream;
};

/// A stream initiator for `mongoc_client_set_stream_initiator`: a TCP or Unix connection, with TLS if the URI says so.
extern "C" mongoc_stream_t* minibatch_mongo_connect(mongoc_uri_t const* uri, mongoc_host_list_t const* host,
                                                    void* unused, bson_error_t* problem);

}  // namespace minibatch::store::mongo
