#pragma once

#include "store/rules.hpp"
#include "store/sqlite/connection.hpp"

namespace minibatch::store::sqlite {

/// A segment's id is its partition's slot in the upper bits and its number in the lower ones.
inline constexpr int number_bits = 40;
inline constexpr std::int64_t ids_of_a_log = std::int64_t{1} << number_bits;
/// Slots of a database, of deleted streams too.
inline constexpr std::int64_t slots = std::int64_t{1} << 23;

/// A partition's row and the end of its log, as of the current transaction.
struct log_row {
    log_id log;
    std::string batch;  // of the last record
    log_state state;
    std::int64_t slot = 0;
    std::int64_t floor_bytes = 0;
    std::int64_t end_bytes = 0;  // since the partition was created
    std::int64_t epoch_base = 0;

    std::int64_t id(std::int64_t number) const noexcept { return (slot << number_bits) + number; }
};

/// Throws errc::stream_deleted if there is no such log, errc::corrupt if its row or its last record is out of range.
log_row find_log(connection& db, log_id log);
std::optional<log_row> find_log_if(connection& db, log_id log);
/// The log of the stream with this name. Throws errc::stream_not_found.
log_id find_named(connection& db, std::string const& name, int partition);

append_result append(connection& db, append_request const& request, time_ms now);
seal_result seal(connection& db, seal_request const& request, time_ms now);
trim_result trim(connection& db, trim_request const& request, time_ms now);
void clear(connection& db, log_id log);

read_result read(connection& db, log_id log, std::int64_t from_number, read_limits limits);
std::int64_t locate(connection& db, log_row const& log, std::int64_t offset);
/// `created` of a record.
time_ms created_at(connection& db, log_row const& log, std::int64_t number);
/// Throws errc::corrupt if a group that continues at this place would leave out messages.
void check_place(connection& db, log_row const& log, log_position place);

}  // namespace minibatch::store::sqlite
