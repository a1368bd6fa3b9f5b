#pragma once

#include "store/mongo/log/log_lookup.hpp"

namespace minibatch::store::mongo {

/// Adds records to logs: carries out what the appender says. Thread-safe; only one write at a time for each log.
class log_writer {
  public:
    explicit log_writer(log_lookup& lookup) : lookup_(lookup) {}

    /// Sets `append_request::prepared` if `store::prepare` was not called.
    append_result append(append_request& request, steady_time deadline);
    seal_result seal(seal_request const& request, steady_time deadline);
    /// Adds the record that says that the stream was deleted, unless it is there.
    void append_tombstone(log_id log, steady_time deadline);

  private:
    append_result add(log_id log, log_view& of, new_record const& record, bson::document const* messages,
                      char const* operation, steady_time deadline, log_position* end = nullptr);
    answer insert(log_id log, placement const& where, new_record const& record, bson::document const* messages,
                  steady_time deadline, route& via);

    log_lookup& lookup_;
};

}  // namespace minibatch::store::mongo
