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

/// Options of a database handle.
///
/// With g++ 12, options that contain a log callback must be named variables in a `co_await` expression: that compiler
/// destroys such temporaries twice, even if the callback itself is a named variable.
struct connect_options {
    /// Threads for blocking calls, 2 … 64. On MongoDB as many calls run at the same time, over up to 2 × threads + 2
    /// connections.
    std::size_t threads = 4;
    /// Time limit of each operation on the database, retries during an outage included. Zero: no limit.
    milliseconds timeout{30'000};
    /// Time limit of `connect`. Zero: no limit.
    milliseconds connect_timeout{5'000};
    /// Limit of the bytes that wait to be written. Appends beyond it wait for room.
    std::size_t max_pending_bytes = std::size_t{64} << 20;
    /// Whether `connect` creates a database that does not exist. If false, `connect` fails with `errc::unavailable`. No
    /// effect on MongoDB, where a database exists once something is stored in it.
    bool create = true;
    /// Whether the database is opened to be read only, such as a backup, or a file on a read-only volume. Nothing is
    /// created, and no lease is acquired. Operations with an effect, `consume` included, fail with `errc::read_only`.
    /// The database must exist, even if `create` is true. On SQLite no file is created beside the database, except the
    /// index of a write-ahead log that has content.
    bool read_only = false;
    /// Receives log messages. If empty, nothing is logged.
    log_callback log = {};
};

/// Properties of a stream. An absent property keeps its value, or gets its default when the stream is created.
struct stream_options {
    /// Number of partitions, 1 … 1024. Default 1. It cannot be changed later.
    std::optional<int> partitions = {};
    /// Age at which messages are removed, committed or not. Default: no limit.
    std::optional<milliseconds> max_age = {};
    /// Approximate limit of messages per partition. Whole segments are removed, committed or not. Default: no limit.
    std::optional<std::int64_t> max_messages = {};
    /// Approximate limit of bytes per partition. Whole segments are removed, committed or not. Default: no limit.
    std::optional<std::int64_t> max_bytes = {};
};

struct append_options {
    /// Messages with the same key go to the same partition. If empty, the partitions take turns. Only read during the
    /// call.
    std::string_view key = {};
};

struct producer_options {
    /// Documents in a full batch, which is handed to the database, 1 … 100,000.
    std::size_t batch_size = 1'000;
    /// Time after which a batch that is not full is handed to the database. Counts from its first document. Zero: at
    /// once.
    milliseconds linger{5};
    /// Limit of the bytes that are buffered or being written. `append` waits beyond it.
    std::size_t max_pending_bytes = std::size_t{16} << 20;
};

/// Where a new group starts: at the earliest message that is still stored, or at the end.
enum class start { earliest, latest };

struct consumer_options {
    /// The consumer group. Its progress is stored under this name.
    name group = "default";
    /// Whether messages are kept after this group has committed them, until a retention limit of the stream applies.
    bool keep = false;
    /// Limit of delivered and uncommitted windows per partition, 1 … 1,000. With 1, windows are committed in order.
    int max_in_flight = 1;
    /// Time after which the lease of a partition expires without renewal, 300 ms … 1 h. It is renewed three times in
    /// this period.
    milliseconds lease{10'000};
    /// Where the group starts. No effect if the group exists.
    minibatch::start start = minibatch::start::earliest;
};

/// What a consumer that stops does with messages that are in no window yet.
enum class drain {
    release,  ///< leaves them to the next consumer
    flush,    ///< delivers the windows that the strategy still finds, then the rest with the reason `flush`
};

}  // namespace minibatch
