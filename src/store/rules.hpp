#pragma once

#include <functional>
#include <vector>

#include "store/store.hpp"

/// Decisions that all stores share, without I/O.
namespace minibatch::store::rules {

/// `created` of the next record.
time_ms stamp(time_ms now, time_ms last_created) noexcept;

/// Throws errc::invalid_name or errc::invalid_argument when a stream cannot be opened like this.
void check_stream(std::string const& name, std::optional<int> partitions, std::optional<retention> const& limits);

/// Throws errc::invalid_argument unless the request can be stored.
void check_append(append_request const& request);

/// Whether a control record is needed. Throws errc::invalid_argument when `until` lies in the future.
bool seal_needed(seal_request const& request, time_ms last_created, time_ms now);

/// Throws `otherwise` unless the ranges and failures are in the form that `progress` promises.
void check_progress(progress const& value, errc otherwise);

/// Changes the lease and the progress if the answer says granted. The time of expiry decides nothing.
acquire_result acquire(group_state& group, acquire_request const& request, time_ms now);
void renew(group_state& group, renew_request const& request, time_ms now);
void release(group_state& group, release_request const& request);

/// Whether the lease is held and is none of those that have ended.
bool in_use(group_state const& group, std::span<partition_lease const> ended) noexcept;

/// Who holds the lease as far as the database's clock can tell, for people; empty if nobody does, and if what the
/// record says cannot be so.
std::string shown_owner(lease const& held, time_ms now);

/// False if exactly this is stored already: a repetition, whose writes were carried out with it.
bool commit(group_state& group, commit_request const& request);

/// Throws errc::invalid_argument or errc::invalid_name when a write of a commit is malformed.
void check_write(document_write const& write);

/// What a group has still to do, and what it can do no more.
struct backlog {
    std::int64_t lag = 0;   // messages in the log that are not committed
    std::int64_t lost = 0;  // messages that retention has removed before they were committed
    friend bool operator==(backlog const&, backlog const&) = default;
};
/// The only place that computes these. `value.lost` counts what lies below `value.low`; what was removed above it has
/// not been noticed by a holder of the lease yet.
backlog backlog_of(progress const& value, log_state const& log) noexcept;

/// The first of the numbers [from, to) for which `before` does not hold; `to` if there is none. `before` is monotone.
std::int64_t first_not(std::int64_t from, std::int64_t to, std::function<bool(std::int64_t)> const& before);

/// The end of a record, as bisection compares it.
struct record_end {
    std::int64_t offset = 0;  // one past its last message
    std::int64_t bytes = 0;   // of the partition, up to and including it
    time_ms created = 0;
};
using record_lookup = std::function<record_end(std::int64_t number)>;

/// The number of the record that holds `offset`, in the terms of store::locate.
std::int64_t locate(log_state const& log, std::int64_t offset, record_lookup const& record);

/// Which records trimming may remove: always those up to some number.
struct removal {
    std::optional<std::int64_t> committed;       // those that end at or below this offset
    std::optional<time_ms> created_before;       // those older than this
    std::optional<std::int64_t> messages_below;  // like `committed`
    std::optional<std::int64_t> bytes_below;     // those that end at or below this many bytes of the partition
    bool operator()(record_end const& record) const noexcept;
};
/// `total_bytes` of the partition, in the terms of `record_end`.
removal removable(log_state const& log, retention const& limits, std::vector<group_state> const& groups, time_ms now,
                  std::int64_t total_bytes);

/// The number below which trimming may remove everything that is there.
std::int64_t trim_target(log_state const& log, retention const& limits, std::vector<group_state> const& groups,
                         time_ms now, record_lookup const& record);

/// The groups that lose messages when the floor of `log` moves to `floor`, with the number of messages.
std::vector<std::pair<std::string, std::int64_t>> losses(std::vector<group_state> const& groups, log_state const& log,
                                                         log_position floor);

}  // namespace minibatch::store::rules
