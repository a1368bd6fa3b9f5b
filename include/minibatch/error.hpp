#pragma once

#include <boost/system/error_category.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>
#include <string>

namespace minibatch {

using boost::system::error_code;

/// What can go wrong. Each value names a cause the caller can act on; the diagnostics of the `error` say which
/// stream, file, document or option it was.
enum class errc {
    /// An option or argument is out of its range or contradicts another one.
    invalid_argument = 1,
    /// The database URL cannot be understood, or has an option that is not known.
    invalid_url,
    /// The name of a stream or group is not allowed.
    invalid_name,
    /// A document breaks a rule that holds on every store (not an object, too deep, number out of range, …).
    invalid_document,
    /// A document or an atomic batch is larger than 15 MiB.
    document_too_large,
    /// The stream does not exist.
    stream_not_found,
    /// The stream was deleted (and perhaps created again) after this handle was opened.
    stream_deleted,
    /// The stream exists with another number of partitions.
    partition_mismatch,
    /// The consumer group does not exist.
    group_not_found,
    /// The group is in use by a live consumer, so that it cannot be deleted.
    group_in_use,
    /// The database cannot be reached or used at present. Trying again later may succeed.
    unavailable,
    /// The operation did not finish within its time-out and had no effect.
    timeout,
    /// The operation was cancelled or cut off after it had been handed to the database, or the answer of a server was
    /// lost and could not be had again in time: it may have taken effect.
    outcome_unknown,
    /// Another consumer has taken over the lease; what this one tried to commit was refused.
    fenced,
    /// The window was already committed, failed, or returned, or its consumer is gone.
    window_closed,
    /// The database is out of space.
    storage_full,
    /// The database cannot be written to, or was opened to be read only.
    read_only,
    /// The database refuses the credentials, or they lack a right.
    access_denied,
    /// The database, or a record in it, is damaged.
    corrupt,
    /// The file is not a database, or a database of something else, or no longer the one that was opened: it was
    /// removed, moved or replaced meanwhile. The handle is of no more use.
    not_a_database,
    /// The database was written by a newer version of minibatch.
    schema_too_new,
    /// This database or build cannot do what was asked.
    unsupported,
    /// A custom emitter has left more messages pending than are held in memory.
    too_many_pending,
    /// More separate committed ranges than a progress record holds: a gap has been left open for too long.
    too_many_ranges,
    /// A custom emitter threw an exception or answered something inconsistent.
    emitter_failed,
    /// The handle was used in a child process after a fork.
    forked,
    /// The database handle, producer or consumer has been closed.
    closed,
    /// The database reported something that has no better name here; the diagnostics carry its words.
    store_failure,
};

/// The category of every `errc`; its name is "minibatch". Thread-safe.
boost::system::error_category const& error_category() noexcept;

error_code make_error_code(errc value) noexcept;

/// What asynchronous operations throw in coroutines: an error code and, in `diagnostics()`, a sentence that names
/// the thing it is about. `what()` is that sentence. A cancelled operation reports `asio::error::operation_aborted`.
class error : public boost::system::system_error {
  public:
    explicit error(error_code code, std::string diagnostics = {});
    explicit error(errc value, std::string diagnostics = {}) : error(make_error_code(value), std::move(diagnostics)) {}

    char const* what() const noexcept override { return diagnostics_.c_str(); }

    /// The sentence alone; the code's own message where nothing more is known.
    std::string const& diagnostics() const noexcept { return diagnostics_; }

  private:
    std::string diagnostics_;
};

}  // namespace minibatch

template <>
struct boost::system::is_error_code_enum<minibatch::errc> : std::true_type {};
