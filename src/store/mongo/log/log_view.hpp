#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>

#include "store/mongo/log/appender.hpp"
#include "store/mongo/log/reached_numbers.hpp"

namespace minibatch::store::mongo {

/// What this handle knows of one log. Its parts are used as their comments say.
struct log_view {
    /// By one write at a time.
    appender adding;
    // By the same: how this handle takes turns with other writers of the log.
    steady_time turn_began{};
    steady_time last_added{};
    steady_time met_others{};
    std::chrono::steady_clock::duration round_trip{};  // of the last insertion

    std::mutex mutex;  // for the rest
    std::optional<log_end> newest;
    /// End up to which listeners were notified, or need not be. Reading does not advance it.
    std::int64_t told = 0;
    reached_numbers reached;  // for the removal of records
    /// Average size of a record, which decides how many are asked for; 0: unknown.
    std::int64_t record_bytes = 0;
    /// As far as this handle knows, records below have been removed. Absent: not known yet.
    std::optional<std::int64_t> removed_below;
    /// As last read; only grows.
    std::int64_t floor = 0;
};

}  // namespace minibatch::store::mongo
