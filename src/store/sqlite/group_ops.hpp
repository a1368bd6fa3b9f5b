#pragma once

#include "store/rules.hpp"
#include "store/sqlite/connection.hpp"

namespace minibatch::store::sqlite {

/// Throws errc::stream_deleted or errc::group_not_found.
group_state load_group(connection& db, group_id const& id);
std::vector<group_state> load_groups(connection& db, log_id log);
std::optional<lease> load_lease(connection& db, group_id const& id);

group_state enroll(connection& db, group_id const& id, start_position start, bool keep, time_ms now);
std::vector<group_state> list_groups(connection& db, std::int64_t incarnation);
bool drop_group(connection& db, std::int64_t incarnation, std::string const& name,
                std::span<partition_lease const> ended);

acquire_result acquire(connection& db, acquire_request const& request, time_ms now);
void renew(connection& db, renew_request const& request, time_ms now);
void release(connection& db, release_request const& request);
void commit(connection& db, commit_request const& request, time_ms now);

std::vector<std::pair<std::string, std::string>> read_collection(connection& db, std::string const& name);

}  // namespace minibatch::store::sqlite
