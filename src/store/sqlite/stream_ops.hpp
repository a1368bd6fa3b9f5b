#pragma once

#include "store/sqlite/connection.hpp"

namespace minibatch::store::sqlite {

/// Throws errc::stream_deleted unless there is a stream of this incarnation.
void check_alive(connection& db, std::int64_t incarnation);

/// For messages, about streams that may not exist any more.
std::string stream_name(connection& db, std::int64_t incarnation);
std::optional<stream_record> find_stream(connection& db, std::string const& name);
std::vector<stream_record> list_streams(connection& db);
stream_record open_stream(connection& db, std::string const& name, std::optional<int> partitions,
                          std::optional<retention> const& limits);
retention limits_of(connection& db, std::int64_t incarnation);
/// False if there is no such stream. Leaves the segments to `sweep`.
bool drop_stream(connection& db, std::string const& name, std::int64_t incarnation);
void clear_stream(connection& db, std::int64_t incarnation);
/// Removes some segments of deleted streams. False when there are none.
bool sweep(connection& db);
/// Whether `sweep` has anything to remove.
bool needs_sweep(connection& db);

}  // namespace minibatch::store::sqlite
