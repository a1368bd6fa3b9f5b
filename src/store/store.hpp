#pragma once

#include <functional>
#include <memory>
#include <minibatch/log.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "log/segment.hpp"
#include "store/writes.hpp"

/// The one interface between the runtime and a database.
///
/// A store keeps streams (each a set of partitions, each an append-only log of records) and consumer groups (per
/// partition a progress record with a lease). All calls block, may come from any thread at the same time, and end by
/// their deadline, which is by the steady clock of `open_options::time`. They throw `minibatch::error`; `write` reports
/// per job instead. Where a log or group is named: errc::stream_deleted if the incarnation is gone,
/// errc::invalid_argument if it has no such partition, errc::group_not_found if there is no such group, errc::forked in
/// a child after fork().
namespace minibatch::store {

struct read_limits {
    std::size_t max_bytes = 1 << 20;  // at least one record is read all the same
    int max_records = 1024;
};
struct read_result {
    /// Consecutive records from the number asked for, or from the floor if that is higher.
    std::vector<log::segment_ptr> records;
    log_state state;
};

enum class start_position { earliest, latest };

/// The ends of logs and the leases of groups, in the order asked for; an absent entry was deleted. At least as new as
/// the last call of a `watch` callback before.
struct inspection {
    std::vector<std::optional<log_position>> ends;
    std::vector<std::optional<lease>> leases;
};

/// Ends the notifications when destroyed; after the destructor has returned the callback does not run any more.
struct subscription {
    virtual ~subscription() = default;
};

/// Which writes wait for one another: `write` is called by at most one thread at a time per scope.
enum class write_scope {
    /// All of a handle, one call at a time. Each carries what waits: the appends, then the rest, both in the order in
    /// which they were asked for.
    whole_store,
    /// The same for each of these by itself: appends and seals of a log; acquisition, commits and release of a group
    /// (in one partition); the trims of a log; all renewals of the handle together. Between these there is no order: an
    /// append that hangs holds up no commit, a renewal may come after a release that was asked for later (and is
    /// errc::fenced then), and a trim may meet an append or a commit of its log. A trim that counts on a commit is
    /// asked for when the commit is done.
    log,
};

/// How a store wants to be used. The defaults suit one in this process or on this machine; where each call is a round
/// trip, fewer and larger ones are better.
struct tuning {
    write_scope scope = write_scope::whole_store;
    /// Appends that wait together are joined until their segment is as large as this.
    std::size_t full_segment_bytes = std::size_t{64} << 10;
    /// How many committed records may pile up before they are removed.
    std::int64_t trim_records = 32;
    /// How long fewer than these may stay after a commit.
    milliseconds trim_delay{100};
    /// A backlog is read in steps of this size, which small windows are then cut from.
    std::size_t read_ahead_bytes = std::size_t{2} << 20;
    /// One read for a large window asks for at most so much.
    std::size_t max_read_bytes = std::size_t{14} << 20;
    /// Whether the next full segment should be prepared while the one before is written.
    bool prepares = false;
    /// Whether a lease also ends when it has expired by the database's clock: where all compare with one clock that is
    /// neither the holder's nor the standby's. Elsewhere only a standby that has seen it unchanged for its whole length
    /// ends it: clocks of machines are set.
    bool expiry_counts = false;
};

class store {
  public:
    virtual ~store() = default;

    /// Does not change while the store is open.
    virtual tuning tune() const noexcept { return {}; }

    /// The database's clock, or the best estimate of it. It may be set, forward or back.
    virtual time_ms now() = 0;

    /// Opens or creates a stream. Retention given replaces the stored one, as a whole; `partitions`, 1 to 1,024, absent
    /// accepts any number, and means 1 for a new stream. Another number than it has: errc::partition_mismatch; others
    /// are errc::invalid_argument. Names that are not allowed: errc::invalid_name.
    virtual stream_record open_stream(std::string const& name, std::optional<int> partitions,
                                      std::optional<retention> limits, steady_time deadline) = 0;
    virtual std::optional<stream_record> find_stream(std::string const& name, steady_time deadline) = 0;
    virtual std::vector<stream_record> list_streams(steady_time deadline) = 0;
    /// False if there is none of this incarnation. Later calls with its log ids fail with errc::stream_deleted.
    virtual bool delete_stream(std::string const& name, std::int64_t incarnation, steady_time deadline) = 0;
    /// Removes all messages of all partitions: the floor and `cleared` become the end. Offsets go on. The groups'
    /// progress is left alone, as by trimming, but nothing of it counts as lost.
    virtual void clear_stream(std::int64_t incarnation, steady_time deadline) = 0;

    /// Creates the group's progress record at its start, or opens it as it is but for `keep`, which is replaced. Epochs
    /// of a group that was deleted before are not given out again.
    virtual group_state register_group(group_id const& group, start_position start, bool keep,
                                       steady_time deadline) = 0;
    virtual std::vector<group_state> list_groups(std::int64_t incarnation, steady_time deadline) = 0;
    /// Removes a group from all partitions. errc::group_in_use while a lease of it is held, unless it has ended:
    /// `ended` are those that the caller has seen, unchanged, for their whole length; with `tuning::expiry_counts` also
    /// those that have expired by the database's clock.
    virtual bool delete_group(std::int64_t incarnation, std::string const& group, steady_time deadline,
                              std::span<partition_lease const> ended = {}) = 0;

    /// Carries out the jobs, as one transaction where the database allows; each job gets its own result or error, and
    /// a job that fails alone does not touch the others. Jobs of one log and of one group take effect in order. When it
    /// returns, what is reported as done is durable. Does not throw.
    virtual void write(std::span<write_job> jobs, steady_time deadline) noexcept = 0;

    /// Does the work of an append that needs no connection, on another thread than `write`, and sets
    /// `append_request::prepared`. Errors are left for `write` to report. Only with `tuning::prepares`.
    virtual void prepare(append_request&) noexcept {}
    /// The text of a segment that was written, as reading gives it back. Windows that close by their bytes must come
    /// out the same whether their messages were read or have just been appended here.
    virtual std::shared_ptr<std::string const> text_as_read(append_request const& written) { return written.text; }

    virtual read_result read(log_id log, std::int64_t from_number, read_limits limits, steady_time deadline) = 0;
    /// The number of the record that holds `offset`; below the floor: the floor's, at or beyond the end: the end's.
    virtual std::int64_t locate(log_id log, std::int64_t offset, steady_time deadline) = 0;
    virtual log_state state(log_id log, steady_time deadline) = 0;
    virtual inspection inspect(std::span<log_id const> logs, std::span<group_id const> groups,
                               steady_time deadline) = 0;

    /// Documents that `document_write` inserted or upserted into a collection, as (key, document), in insertion order;
    /// the key of an inserted document is empty.
    virtual std::vector<std::pair<std::string, std::string>> read_collection(std::string const& name,
                                                                             steady_time deadline) = 0;

    /// Calls `changed` (on a thread of the store, never concurrently) after another process or handle may have written.
    /// It may be called without need. Register, then read, then sleep: nothing is missed in that order. The callback
    /// must only post: it holds up the other callbacks, and whoever ends a subscription, and must not call the store.
    virtual std::unique_ptr<subscription> watch(std::function<void()> changed) = 0;

    /// Whether `maintain` has work that should be done soon. Cheap: it is called after each write.
    virtual bool maintenance_due() const noexcept { return false; }
    /// Housekeeping that must not hold up writes, such as checkpoints. Called about once a second on a worker thread,
    /// never concurrently with itself.
    virtual void maintain(steady_time deadline) = 0;

    /// No call lasts beyond `latest` from now on, whatever its own deadline, including those under way. For shutdown,
    /// when nobody waits for results. Stores whose calls never wait need not override it.
    virtual void limit_calls(steady_time) noexcept {}
};

/// The database's clock and a store's steady clock; tests replace it.
class clock {
  public:
    virtual ~clock() = default;
    virtual time_ms system_now() = 0;
    virtual steady_time steady_now() = 0;
    /// The clocks of this machine.
    static std::shared_ptr<clock> real();
};

struct open_options {
    milliseconds timeout{5000};  // for opening
    std::shared_ptr<clock> time = clock::real();
    bool create = true;      // a database that does not exist
    bool read_only = false;  // nothing is written, nor created
    log_callback log;        // may be empty
    int readers = 4;         // calls expected at the same time
    /// Called with the name of each command that is sent to a server; for tests and statistics.
    std::function<void(std::string_view)> on_command = {};
};

}  // namespace minibatch::store
