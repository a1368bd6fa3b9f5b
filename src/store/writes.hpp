#pragma once

#include <algorithm>
#include <memory>
#include <minibatch/error.hpp>
#include <string>
#include <variant>
#include <vector>

#include "store/types.hpp"

/// Requests and results of `store::write`. The requests of one call may share a transaction.
namespace minibatch::store {

/// Adds a segment at the end. `created` becomes max(database clock, `created` of the record before). An append whose
/// batch id, not empty, is that of the last record is a repetition: nothing is written, and the result is the stored
/// record's. A segment without messages is errc::invalid_argument.
struct append_request {
    log_id log;
    std::string batch;  // made by the caller before the first try; stored with the segment
    std::int64_t count = 0;
    std::shared_ptr<std::string const> text;    // in the form of log::segment_text
    std::shared_ptr<void const> prepared = {};  // by `store::prepare`, if it was called
};
struct append_result {
    std::int64_t number = 0;
    std::int64_t first = 0;
    time_ms created = 0;
};

/// Once it succeeds, no message can ever get a `created` below `until`. Writes a control record, and only if the last
/// record's `created` is below `until`. `until` beyond the database's clock is errc::invalid_argument.
struct seal_request {
    log_id log;
    time_ms until = 0;
};
struct seal_result {
    log_position end;
};

/// Asks for the lease. Granted when nobody holds it, it is already ours (the same acquisition: epoch and progress stay
/// as they are), or it is as in `unchanged` (lease::unchanged_since); with `tuning::expiry_counts` also when it has
/// expired by the database's clock. A grant to somebody new increments the epoch, and, if the one before was not
/// released, `progress::takeovers`. Epochs go on when a group is deleted and registered again. No owner, acquisition or
/// duration: errc::invalid_argument.
struct acquire_request {
    group_id group;
    std::string owner;
    std::string acquisition;
    milliseconds duration{0};
    /// What a standby has seen, unchanged, for that lease's whole length on its own steady clock.
    std::optional<lease> unchanged;
};
struct acquire_result {
    bool granted = false;
    lease held;      // afterwards: ours, or who holds it
    progress state;  // only if granted
};

/// Prolongs the lease by `duration` from now and counts it, even after it has expired. Another epoch, or released:
/// errc::fenced.
struct renew_request {
    group_id group;
    std::int64_t epoch = 0;
    milliseconds duration{0};
};

/// Gives the lease up, cleanly. Another epoch: errc::fenced. Repeated: a success.
struct release_request {
    group_id group;
    std::int64_t epoch = 0;
};

/// A write that takes effect together with a commit.
struct document_write {
    enum class kind { insert, upsert, append };
    kind what = kind::insert;
    std::string
        target;         // collection (insert, upsert), in the name space of minibatch::name rules; stream name (append)
    std::string key;    // upsert: which document; append: chooses nothing, the partition is `partition`
    int partition = 0;  // append
    std::string document;  // encoded JSON object
};

/// Replaces the progress record, all of it. Checks the epoch alone: under the current one it succeeds even after expiry
/// or release; under another: errc::fenced. Progress only moves forward: a request whose `low` is below the stored one
/// is errc::fenced too. If the stored progress equals the request's, this is a repetition: a success, and the writes
/// are not carried out again. Ranges that are not as `progress` says are errc::invalid_argument, more than `max_ranges`
/// errc::too_many_ranges; what is wrong with a write is its error, and nothing at all is changed then.
struct commit_request {
    group_id group;
    std::int64_t epoch = 0;
    progress state;
    std::vector<document_write> writes;
};

/// Removes whole records from the front: those that every group has committed (if there are groups and none keeps),
/// and those beyond the retention limits of the stream. The floor is stored first; the last record always stays. The
/// groups' progress is left alone: its holder steps over what is gone when it reads, and counts it in `lost`.
struct trim_request {
    log_id log;
    /// At most so many records in this call; `more` tells whether there is more to do.
    int max_records = 256;
    /// The age of records is measured at this time if the database's clock is beyond it: a clock that is ahead for a
    /// moment must not remove what cannot be brought back.
    std::optional<time_ms> now_at_most = {};

    time_ms age_measured_at(time_ms now) const noexcept { return now_at_most ? std::min(now, *now_at_most) : now; }
};
struct trim_result {
    log_position floor;
    std::int64_t removed = 0;  // records
    bool more = false;
    /// Groups that had not committed what retention now removed, with the number of messages.
    std::vector<std::pair<std::string, std::int64_t>> lost;
};

struct done {};  // result of renew, release and commit

using write_request = std::variant<append_request, seal_request, acquire_request, renew_request, release_request,
                                   commit_request, trim_request>;
using write_result = std::variant<std::monostate, append_result, seal_result, acquire_result, trim_result, done, error>;

struct write_job {
    write_request request;
    write_result result;  // monostate until written
};

}  // namespace minibatch::store
