#pragma once

#include "store/mongo/groups/group_table.hpp"

namespace minibatch::store::mongo {

/// Moves the floor of a log up, as the groups and the limits allow. What lies below is removed later, by
/// `remove_records`, since a process that was cut off must not find the number of a removed record free.
trim_result trim(log_lookup& all, group_table& table, trim_request const& request, retention const& limits,
                 steady_time deadline);

/// The floor becomes the end.
void clear(log_lookup& all, log_id log, steady_time deadline);

/// Removes the records below the floor whose time has come, in all logs that this handle has trimmed or read.
void remove_records(log_lookup& all, steady_time deadline);

/// Removes all records of a log, of one that was deleted.
void remove_all(client_pool& clients, log_id log, steady_time deadline);

/// The server's time after a write that is made for this alone, since the time stands still while nothing is written.
/// On a full disk, which removal makes room on, the time without the write. Absent: a standalone server tells no time.
std::optional<cluster_time> time_after(client_pool& clients, bson_t const& write, steady_time deadline);

}  // namespace minibatch::store::mongo
