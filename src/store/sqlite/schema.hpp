#pragma once

#include "store/sqlite/connection.hpp"

namespace minibatch::store::sqlite {

/// Throws errc::read_only if the file may only be read.
void check_writable(connection const& db);

/// Throws unless the file is empty, or a database of ours in a version that we can read. True if it is empty.
bool check_schema(connection& db);

/// Whether the database has a write-ahead log, as create_schema gives it.
bool has_log(connection& db);

/// Makes the tables if the file is still empty. The caller keeps other programs of ours away.
void create_schema(connection& db);

/// The settings of every connection.
void configure(connection& db, bool synchronous_full);

}  // namespace minibatch::store::sqlite
