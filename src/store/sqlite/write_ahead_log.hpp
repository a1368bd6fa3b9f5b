#pragma once

#include <array>
#include <cstdint>

#include "store/sqlite/connection.hpp"

namespace minibatch::store::sqlite {

/// How far the log has been written, as all connections see it.
struct log_index {
    std::uint32_t changes = 0;  // commits; 0 again after a recovery
    std::uint32_t frames = 0;   // up to and including the last commit; 0 when the log begins anew
    std::array<std::uint32_t, 2> salt{};
};

/// The write-ahead log beside SQLite's own use of it. SQLite takes what was written for durable once a sync succeeds. A
/// kernel, however, may drop what it failed to write: after a failed sync the page cache holds data that the disk does
/// not have, and later syncs succeed without writing it. Only writing the data once more makes it durable.
///
/// Uses the layout of the log and of its index that SQLite documents (https://www.sqlite.org/walformat.html). The
/// connection has read from the database, so that both are open.
class write_ahead_log {
  public:
    explicit write_ahead_log(connection& db) noexcept : db_(db) {}

    /// Precondition for this and the others: a write transaction of the connection is open and has changed nothing.
    log_index index() const;
    /// Writes all frames once more and syncs them. A frame behind the last one, as a failed commit may leave it, is
    /// made invalid, so that no recovery takes it for committed.
    void rewrite() const;
    /// Makes the next checkpoint copy all frames, also those that earlier ones have copied.
    void forget_checkpoints() const;

  private:
    sqlite3_file* file(int which) const;
    char volatile* shared_index() const;
    [[noreturn]] void fail(int result) const;

    connection& db_;
};

/// Syncs the directory of a file, which makes the entries of new files in it durable. SQLite does so, too, but ignores
/// failures. Throws errc::store_failure or errc::storage_full.
void sync_directory_of(std::string const& path);

}  // namespace minibatch::store::sqlite
