#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>

#include "store/progress.hpp"

/// What stores keep: streams, logs, groups and leases.
namespace minibatch::store {

using steady_time = std::chrono::steady_clock::time_point;
using std::chrono::milliseconds;

/// Which log: an incarnation is a random positive number made when a stream is created, so that a stream of the same
/// name that is created later is another one.
struct log_id {
    std::int64_t incarnation = 0;
    int partition = 0;
    friend auto operator<=>(log_id const&, log_id const&) = default;
};

struct group_id {
    log_id log;
    std::string group;
    friend auto operator<=>(group_id const&, group_id const&) = default;
};

/// Limits beyond which messages are removed, committed or not. Whole records are removed, so that at least the newest
/// `max_messages` messages and the newest `max_bytes` bytes stay. Absent: no limit. Negative: errc::invalid_argument.
struct retention {
    std::optional<milliseconds> max_age;
    std::optional<std::int64_t> max_messages;  // per partition
    std::optional<std::int64_t> max_bytes;     // per partition, of the stored text
    bool any() const noexcept { return max_age || max_messages || max_bytes; }
    friend bool operator==(retention const&, retention const&) = default;
};

struct stream_record {
    std::string name;
    std::int64_t incarnation = 0;
    int partitions = 1;
    retention limits;
};

/// A place between two records of a log.
struct log_position {
    std::int64_t number = 0;  // of the next record
    std::int64_t offset = 0;  // of the next message
    friend auto operator<=>(log_position const&, log_position const&) = default;
};

struct log_state {
    /// What lies below has been removed, or is about to be: readers ignore it.
    log_position floor;
    /// Offsets below were removed on request (`clear`): no group has lost them.
    std::int64_t cleared = 0;
    log_position end;
    /// `created` of the last record; 0 when there was none yet.
    time_ms last_created = 0;
    /// Bytes of message text between floor and end.
    std::int64_t bytes = 0;
};

struct lease {
    std::string owner;        // host and process, for people; empty when nobody holds it
    std::string acquisition;  // random, made anew for each attempt to become the holder
    std::int64_t epoch = 0;   // grows with each change of hands: the fencing token
    time_ms expires = 0;      // by the database's clock, which may have been set since
    /// How long it lasts without a renewal. Zero where an earlier version has written the record.
    milliseconds length{0};
    /// Grows with each renewal, so that a renewal is seen whatever the clocks say.
    std::int64_t renewals = 0;

    friend bool operator==(lease const&, lease const&) = default;
    bool held() const noexcept { return !owner.empty(); }
    /// Whether it has been renewed, released or passed on between the two. Compares no times, but where an earlier
    /// version, which does not count renewals, has written the record.
    bool unchanged_since(lease const& before) const noexcept {
        return owner == before.owner && acquisition == before.acquisition && epoch == before.epoch &&
               renewals == before.renewals && length == before.length &&
               (length.count() > 0 || expires == before.expires);
    }
};

/// The lease of a group in one partition.
struct partition_lease {
    int partition = 0;
    lease held;
};

struct group_state {
    group_id id;
    progress state;
    lease held;
};

}  // namespace minibatch::store
