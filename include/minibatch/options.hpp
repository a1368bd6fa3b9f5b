#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <minibatch/log.hpp>
#include <minibatch/name.hpp>
#include <optional>
#include <string_view>

namespace minibatch {

using std::chrono::milliseconds;

/// How a database handle behaves.
///
/// With g++ 12, options that hold a log callback must be given a name before they are passed in a `co_await`
/// expression: that compiler destroys such temporaries twice, however `connect` takes them, and even if the callback
/// itself has a name.
struct connect_options {
    /// Threads for the database's blocking calls, 2 … 64. On MongoDB so many calls are under way at the same time, with
    /// up to 2 × threads + 2 connections.
    std::size_t threads = 4;
    /// Bound of every operation's work on the database; a database that is away is waited for that long.
    milliseconds timeout{30'000};
    /// Bound of `connect`.
    milliseconds connect_timeout{5'000};
    /// Bytes of documents that may wait to be written. Appends beyond that wait for room.
    std::size_t max_pending_bytes = std::size_t{64} << 20;
    /// Whether a database that does not exist is made. Else `connect` fails with `errc::unavailable`. On MongoDB it has
    /// no effect: a database is there once something is stored in it.
    bool create = true;
    /// Whether the database is only read: a backup, a file or volume that may not be written to. Nothing is created, no
    /// turn and no lease is taken; operations that would change something, `consume` included, fail with
    /// `errc::read_only`. The database must exist, whatever `create` says. On SQLite no file appears beside the
    /// database, unless the index of a write-ahead log with content has to be made.
    bool read_only = false;
    /// Receives what the library has to tell; empty: nothing is logged.
    log_callback log = {};
};

/// What a stream is to be. What is absent stays as it is, or takes its default when the stream is created.
struct stream_options {
    /// How many logs the stream is cut into, 1 … 1024. Default 1. It cannot be changed later.
    std::optional<int> partitions = {};
    /// Messages older than this are removed, committed or not.
    std::optional<milliseconds> max_age = {};
    /// At most about so many messages stay, per partition; removed in whole segments.
    std::optional<std::int64_t> max_messages = {};
    /// At most about so many bytes stay, per partition; removed in whole segments.
    std::optional<std::int64_t> max_bytes = {};
};

struct append_options {
    /// Messages with the same key go to the same partition. Empty: the partitions take turns. Read during the call.
    std::string_view key = {};
};

struct producer_options {
    /// A batch is handed to the database when it has so many documents, 1 … 100,000.
    std::size_t batch_size = 1'000;
    /// … or when its first document has waited so long. Zero: at once.
    milliseconds linger{5};
    /// Bytes of documents that may be buffered or on their way. `append` waits beyond that.
    std::size_t max_pending_bytes = std::size_t{16} << 20;
};

/// Where a group that is new to a stream starts.
enum class start { earliest, latest };

struct consumer_options {
    /// The consumer group. Its progress is kept with the stream under this name.
    name group = "default";
    /// Whether messages stay after this group has committed them (until the stream's retention limits).
    bool keep = false;
    /// Windows delivered and not yet committed, per partition, 1 … 1,000. Order is kept with 1.
    int max_in_flight = 1;
    /// How long the lease on a partition lasts without renewal; it is renewed every third of it. 300 ms … 1 h.
    milliseconds lease{10'000};
    /// Where the group starts if it is new.
    minibatch::start start = minibatch::start::earliest;
};

/// What becomes of the messages that are not in a window yet when a consumer stops.
enum class drain {
    release,  ///< they stay in the stream for the next consumer
    flush,    ///< what the strategy still finds is delivered, then the rest as last windows, reason `flush`
};

}  // namespace minibatch
