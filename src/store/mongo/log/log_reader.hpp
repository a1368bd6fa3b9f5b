#pragma once

#include "store/mongo/log/log_lookup.hpp"

namespace minibatch::store::mongo {

/// Reads records with their messages. Thread-safe.
class log_reader {
  public:
    explicit log_reader(log_lookup& lookup) : lookup_(lookup) {}

    /// As `store::read`.
    read_result read(log_id log, std::int64_t from, read_limits limits, steady_time deadline);

  private:
    struct page {
        head front;
        std::vector<log::segment_ptr> records;  // consecutive, from the number asked for
        std::optional<record_header> last;      // of `records`
        bool at_end = false;                    // there are no more
        bool gap = false;                       // some were removed while they were read, or are missing
        std::int64_t behind_gap = 0;            // the number of the next one that is there
        steady_time sent{};
        std::optional<cluster_time> told;  // the server's time in the answer
    };
    page read_page(log_id log, log_view& of, std::int64_t from, read_limits limits, steady_time deadline);

    log_lookup& lookup_;
};

}  // namespace minibatch::store::mongo
