#pragma once

#include <bson/bson.h>

#include <cstdint>
#include <minibatch/error.hpp>
#include <string>

namespace minibatch::store::mongo {

/// What a failed command means for the caller.
enum class severity {
    /// It has not been carried out and may be sent again: no connection, not the primary, a conflict.
    not_done,
    /// It may have been carried out: the answer was lost, or the write is not known to be durable yet.
    unknown,
    /// It was refused, and would be refused again.
    refused,
};

/// Why a command has failed.
struct failure {
    severity how = severity::refused;
    errc code = errc::store_failure;  // if refused
    std::string text;                 // the driver's or the server's words
    std::int32_t server_code = 0;     // 0: not from the server
    bool transient_transaction = false;
    bool unknown_commit = false;
};

/// Of a command that the driver reports as failed. `sent` tells that the failure may have come after it was sent.
failure classify(bson_error_t const& problem, bson_t const& reply);

/// Of an error that the server put into an answer: of a command, one of `writeErrors`, or `writeConcernError`.
failure classify_code(std::int32_t code, std::string text, bool write_concern = false);

constexpr std::int32_t duplicate_key = 11000;

}  // namespace minibatch::store::mongo
