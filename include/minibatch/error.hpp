#pragma once

#include <boost/system/error_category.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>
#include <string>

namespace minibatch {

using boost::system::error_code;

/// Error codes. Each value names a cause that the caller can act on. The diagnostics of the `error` name the stream,
/// file, document or option.
enum class errc {
    /// An option or argument is out of range or contradicts another one.
    invalid_argument = 1,
    /// The database URL is malformed or has an unknown option.
    invalid_url,
    /// The name of a stream or group is not allowed.
    invalid_name,
    /// A document violates a rule that applies to every store (not an object, nested too deeply, a number out of range,
    /// …).
    invalid_document,
    /// A document or an atomic batch is larger than 15 MiB.
    document_too_large,
    /// The stream does not exist.
    stream_not_found,
    /// The stream was deleted, and perhaps created again, after this handle was opened.
    stream_deleted,
    /// The stream exists with a different number of partitions.
    partition_mismatch,
    /// The consumer group does not exist.
    group_not_found,
    /// A consumer holds a lease of the group, which cannot be deleted now.
    group_in_use,
    /// The database cannot be reached or used now. Trying again later may succeed.
    unavailable,
    /// The time-out expired. The operation had no effect.
    timeout,
    /// The operation may have taken effect: it was cancelled or interrupted after it was handed to the database, or the
    /// answer was lost and could not be recovered in time.
    outcome_unknown,
    /// Another consumer has taken over the lease. The commit was refused.
    fenced,
    /// The window was committed, failed or returned before, or its consumer no longer exists.
    window_closed,
    /// The database is out of space.
    storage_full,
    /// The database cannot be written to, or was opened to be read only.
    read_only,
    /// The database rejects the credentials, or they lack a right.
    access_denied,
    /// The database, or a record in it, is damaged.
    corrupt,
    /// The file is not a database, is the database of another application, or is not the file that was opened: it was
    /// removed, moved or replaced. The handle cannot be used any more.
    not_a_database,
    /// A newer version of minibatch wrote the database.
    schema_too_new,
    /// This database or this build does not support the operation.
    unsupported,
    /// A custom emitter left more messages pending than its limits permit.
    too_many_pending,
    /// The group has more separate committed ranges than a progress record holds: a gap has stayed open for too long.
    too_many_ranges,
    /// A custom emitter threw an exception or gave an inconsistent answer.
    emitter_failed,
    /// The handle was used in a child process after `fork`.
    forked,
    /// The database handle, producer or consumer has been closed.
    closed,
    /// The database reported an error without a code of its own here. The diagnostics contain its message.
    store_failure,
};

/// The category of `errc`. Its name is "minibatch". Thread-safe.
boost::system::error_category const& error_category() noexcept;

error_code make_error_code(errc value) noexcept;

/// The exception that asynchronous operations throw in coroutines: an error code with diagnostics, a sentence that
/// names the stream, file, document or option. `what()` returns the diagnostics. A cancelled operation has the code
/// `asio::error::operation_aborted`.
class error : public boost::system::system_error {
  public:
    explicit error(error_code code, std::string diagnostics = {});
    explicit error(errc value, std::string diagnostics = {}) : error(make_error_code(value), std::move(diagnostics)) {}

    char const* what() const noexcept override { return diagnostics_.c_str(); }

    /// Returns the diagnostics, or the message of the code if there are none.
    std::string const& diagnostics() const noexcept { return diagnostics_; }

  private:
    std::string diagnostics_;
};

}  // namespace minibatch

template <>
struct boost::system::is_error_code_enum<minibatch::errc> : std::true_type {};
