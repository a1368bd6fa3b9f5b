#include "store/mongo/wire/failure.hpp"

#include <mongoc/mongoc.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace minibatch::store::mongo {
namespace {

constexpr std::int32_t unknown_error = 8;
constexpr std::int32_t out_of_disk_space = 14031;

/// The server changes its role, shuts down or is busy: nothing was done, and the command may be tried again.
/// From the specifications of MongoDB's drivers (retryable reads and writes; server discovery and monitoring).
constexpr std::array not_now{
    24,     // LockTimeout
    43,     // CursorNotFound: the caller reads everything again
    46,     // LockBusy
    63,     // StaleShardVersion
    112,    // WriteConflict
    133,    // FailedToSatisfyReadPreference
    134,    // ReadConcernMajorityNotAvailableYet
    150,    // StaleEpoch
    225,    // TransactionTooOld
    234,    // RetryChangeStream
    237,    // CursorKilled
    244,    // TransactionAborted
    246,    // SnapshotUnavailable
    251,    // NoSuchTransaction
    264,    // TooManyFilesOpen
    314,    // ObjectIsBusy
    365,    // TemporarilyUnavailable
    371,    // UserWritesBlocked
    10058,  // LegacyNotPrimary
    10107,  // NotWritablePrimary
    13388,  // StaleConfig
    13435,  // NotPrimaryNoSecondaryOk
    13436,  // NotPrimaryOrSecondary
};

/// The command was interrupted, or that of a router to a shard. A server that steps down, shuts down or has an I/O
/// error may report it before or after the write.
constexpr std::array cut_off{
    6,      // HostUnreachable
    7,      // HostNotFound
    38,     // FileNotOpen
    39,     // FileStreamFailed
    89,     // NetworkTimeout
    202,    // NetworkInterfaceExceededTimeLimit
    262,    // ExceededTimeLimit
    9001,   // SocketException
    50,     // MaxTimeMSExpired
    91,     // ShutdownInProgress
    189,    // PrimarySteppedDown
    11600,  // InterruptedAtShutdown
    11601,  // Interrupted
    11602,  // InterruptedDueToReplStateChange
};

errc meaning(std::int32_t code) {
    switch (code) {
        case 11:    // UserNotFound
        case 13:    // Unauthorized
        case 18:    // AuthenticationFailed
        case 31:    // RoleNotFound
        case 8000:  // of a hosted service, on wrong credentials
            return errc::access_denied;
        case 20:     // IllegalOperation: transaction numbers on a standalone server
        case 59:     // CommandNotFound
        case 115:    // CommandNotSupported
        case 263:    // OperationNotSupportedInTransaction
        case 40573:  // change streams on a standalone server
            return errc::unsupported;
        case 10334:  // BSONObjectTooLarge
        case 17280:  // KeyTooLong
        case 17419:
        case 17420:
            return errc::document_too_large;
        case out_of_disk_space:
            return errc::storage_full;
        case 73:  // InvalidNamespace
            return errc::invalid_url;
        default:
            return errc::store_failure;
    }
}

template <class Codes>
bool among(Codes const& codes, std::int32_t code) {
    return std::find(codes.begin(), codes.end(), code) != codes.end();
}

/// The driver reports each failed login with the same code, whether the server has refused it, the connection was lost
/// or the server was shutting down. Only the text shows which.
bool never_answered(std::string_view text) {
    constexpr std::array passing{"Failed to send \"sasl", "shutdown",    "shutting down",
                                 "interrupted",           "not primary", "not master"};
    return std::any_of(passing.begin(), passing.end(),
                       [&](std::string_view words) { return text.find(words) != text.npos; });
}

/// The storage engine reports errors of the operating system with one code; only the text shows which.
bool is_io_error(std::string_view text) {
    return text.find("Input/output error") != text.npos || text.find("I/O error") != text.npos;
}

}  // namespace

failure classify_code(std::int32_t code, std::string text, bool write_concern) {
    failure out;
    out.server_code = code;
    out.text = std::move(text);
    // With a write concern error at least one server has carried out the write; it may still be rolled back.
    if (write_concern || among(cut_off, code) || (code == unknown_error && is_io_error(out.text))) {
        out.how = severity::unknown;
    } else if (among(not_now, code)) {
        out.how = severity::not_done;
    } else {
        out.code = meaning(code);
        if (code == out_of_disk_space)
            out.text +=
                "; the disk of the server is full: free space there, or let consumers commit what waits, so "
                "that it can be removed";
    }
    return out;
}

failure classify(bson_error_t const& problem, bson_t const& reply) {
    failure out;
    out.text = problem.message;
    auto const code = static_cast<std::int32_t>(problem.code);
    switch (problem.domain) {
        case MONGOC_ERROR_SERVER_SELECTION:
            out.how = severity::not_done;
            break;
        case MONGOC_ERROR_STREAM:
            // Without a connection nothing was sent. Later the outcome is unknown.
            out.how = code == MONGOC_ERROR_STREAM_NAME_RESOLUTION || code == MONGOC_ERROR_STREAM_CONNECT ||
                              code == MONGOC_ERROR_STREAM_NOT_ESTABLISHED
                          ? severity::not_done
                          : severity::unknown;
            break;
        case MONGOC_ERROR_SERVER:
        case MONGOC_ERROR_WRITE_CONCERN:
            out = classify_code(code, out.text, problem.domain == MONGOC_ERROR_WRITE_CONCERN);
            break;
        case MONGOC_ERROR_CLIENT:
            if (code == MONGOC_ERROR_CLIENT_AUTHENTICATE) {
                out.code = errc::access_denied;
                if (never_answered(out.text)) out.how = severity::not_done;
            }
            if (code == MONGOC_ERROR_CLIENT_NOT_READY || code == MONGOC_ERROR_CLIENT_GETNONCE)
                out.how = severity::not_done;
            break;
        case MONGOC_ERROR_PROTOCOL:
            if (code == MONGOC_ERROR_PROTOCOL_BAD_WIRE_VERSION)
                out.code = errc::unsupported;
            else
                out.how = severity::unknown;  // an incomplete answer
            break;
        default:
            break;
    }
    // Labels that newer servers add.
    for (auto const* label : {"RetryableWriteError", "ResumableChangeStreamError"})
        if (mongoc_error_has_label(&reply, label) && out.how == severity::refused) out.how = severity::unknown;
    out.transient_transaction = mongoc_error_has_label(&reply, "TransientTransactionError");
    out.unknown_commit = mongoc_error_has_label(&reply, "UnknownTransactionCommitResult");
    return out;
}

}  // namespace minibatch::store::mongo
