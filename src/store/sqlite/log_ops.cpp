#include "store/sqlite/log_ops.hpp"

#include <algorithm>

#include "store/sqlite/group_ops.hpp"
#include "store/sqlite/stream_ops.hpp"
#include "store/validation.hpp"

namespace minibatch::store::sqlite {
namespace {

[[noreturn]] void damaged(connection& db, log_id log, std::int64_t number, std::string const& defect) {
    db.corrupt(validation::record_name(stream_name(db, log.incarnation), log.partition, number) + ": " + defect);
}

void check_record(connection& db, log_id log, std::int64_t number, std::optional<std::string> const& defect) {
    if (defect) damaged(db, log, number, *defect);
}

[[noreturn]] void missing(connection& db, log_id log, std::int64_t number) {
    damaged(db, log, number, "the record is missing");
}

// A macro, since statements are kept by the address of one literal.
#define MINIBATCH_SELECT_HEADER "SELECT id, first, count, created, bytes_before, bytes"

validation::record_header header_from(log_row const& log, statement const& row) {
    return {row.integer(0) - log.id(0), row.stored(1), row.stored(2), row.stored(3), row.stored(4), row.stored(5)};
}

void read_end(connection& db, log_row& log) {
    auto query = db.prepare(MINIBATCH_SELECT_HEADER
                            ", batch FROM minibatch_segments WHERE id >= ?1 AND id < ?2 ORDER BY id DESC LIMIT 1");
    query.bind(log.id(0), log.id(0) + ids_of_a_log);
    if (!query.step()) return;
    auto const last = header_from(log, query);
    check_record(db, log.log, last.number, validation::defect_of(last));
    log.state.end = {last.number + 1, last.first + last.count};
    log.state.last_created = last.created;
    log.end_bytes = last.bytes_before + last.bytes;
    log.batch = query.text(6);
    log.state.bytes = log.end_bytes - log.floor_bytes;
}

void check_partition(connection& db, log_id log) {
    auto query = db.prepare("SELECT name FROM minibatch_streams WHERE incarnation = ?1");
    query.bind(log.incarnation);
    if (!query.step()) throw error(errc::stream_deleted, "the stream was deleted");
    throw error(errc::invalid_argument,
                "stream '" + query.string(0) + "' has no partition " + std::to_string(log.partition));
}

append_result push(connection& db, log_row const& log, std::string_view batch, std::int64_t count,
                   std::string const* text, time_ms now) {
    auto const created = rules::stamp(now, log.state.last_created);
    auto insert = db.prepare(
        "INSERT INTO minibatch_segments (id, first, count, created, bytes_before, bytes, batch, data) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
    auto const& end = log.state.end;
    if (text)
        insert.bind(log.id(end.number), end.offset, count, created, log.end_bytes, text->size(), batch,
                    std::string_view(*text));
    else
        insert.bind(log.id(end.number), end.offset, count, created, log.end_bytes, 0, batch, nullptr);
    insert.run();
    return {end.number, end.offset, created};
}

validation::record_header header_of(connection& db, log_row const& log, std::int64_t number) {
    auto query = db.prepare(MINIBATCH_SELECT_HEADER " FROM minibatch_segments WHERE id = ?1");
    query.bind(log.id(number));
    if (!query.step()) missing(db, log.log, number);
    auto const found = header_from(log, query);
    check_record(db, log.log, number, validation::defect_of(found));
    return found;
}

rules::record_lookup lookup(connection& db, log_row const& log) {
    return [&db, &log](std::int64_t number) {
        auto const found = header_of(db, log, number);
        return rules::record_end{found.first + found.count, found.bytes_before + found.bytes, found.created};
    };
}

/// The number of the first stored record.
std::int64_t first_stored(connection& db, log_row const& log) {
    auto query = db.prepare("SELECT id FROM minibatch_segments WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT 1");
    query.bind(log.id(0), log.id(0) + ids_of_a_log);
    return query.step() ? query.integer(0) - log.id(0) : 0;
}

/// Removes the records [from, to) except the last one of the log. Returns how many there were.
std::int64_t remove(connection& db, log_row const& log, std::int64_t from, std::int64_t to) {
    to = std::min(to, log.state.end.number - 1);
    if (from >= to) return 0;
    db.prepare("DELETE FROM minibatch_segments WHERE id >= ?1 AND id < ?2").bind(log.id(from), log.id(to)).run();
    return sqlite3_changes64(db.handle());
}

void store_floor(connection& db, log_id id, log_row const& log) {
    db.prepare(
          "UPDATE minibatch_partitions SET floor_number = ?3, floor_offset = ?4, floor_bytes = ?5, cleared = ?6 "
          "WHERE incarnation = ?1 AND partition = ?2")
        .bind(id.incarnation, id.partition, log.state.floor.number, log.state.floor.offset, log.floor_bytes,
              log.state.cleared)
        .run();
}

}  // namespace

std::optional<log_row> find_log_if(connection& db, log_id log) {
    log_row out;
    out.log = log;
    std::optional<std::string> defect;
    {
        auto query = db.prepare(
            "SELECT slot, floor_number, floor_offset, floor_bytes, cleared, epoch_base FROM minibatch_partitions "
            "WHERE incarnation = ?1 AND partition = ?2");
        query.bind(log.incarnation, log.partition);
        if (log.incarnation <= 0 || !query.step()) return std::nullopt;
        out.slot = query.stored(0);
        out.state.floor = {query.stored(1), query.stored(2)};
        out.floor_bytes = query.stored(3);
        out.state.cleared = query.stored(4);
        out.epoch_base = query.stored(5);
    }
    if (out.slot < 0 || out.slot >= slots) defect = "its slot is out of range: " + std::to_string(out.slot);
    if (!defect) defect = validation::defect_of(lease{{}, {}, out.epoch_base, 0});
    // Not computed with before it has been checked.
    if (!defect && out.floor_bytes < 0) defect = "the sum of bytes of the floor is negative";
    if (!defect) {
        read_end(db, out);
        defect = validation::defect_of(out.state);
    }
    if (defect)
        db.corrupt(validation::partition_name(stream_name(db, log.incarnation), log.partition) + ": " + *defect);
    return out;
}

log_row find_log(connection& db, log_id log) {
    if (auto found = find_log_if(db, log)) return std::move(*found);
    check_partition(db, log);
    throw error(errc::stream_deleted, "the stream was deleted");
}

log_id find_named(connection& db, std::string const& name, int partition) {
    auto query = db.prepare("SELECT incarnation FROM minibatch_streams WHERE name = ?1");
    query.bind(std::string_view(name));
    if (!query.step()) throw error(errc::stream_not_found, "there is no stream '" + name + "'");
    return {query.integer(0), partition};
}

append_result append(connection& db, append_request const& request, time_ms now) {
    rules::check_append(request);
    auto const log = find_log(db, request.log);
    if (!request.batch.empty() && log.batch == request.batch) {
        // An earlier attempt, whose outcome was not known, has stored it.
        auto const number = log.state.end.number - 1;
        return {number, log.state.end.offset - request.count, log.state.last_created};
    }
    return push(db, log, request.batch, request.count, request.text.get(), now);
}

seal_result seal(connection& db, seal_request const& request, time_ms now) {
    auto const log = find_log(db, request.log);
    if (!rules::seal_needed(request, log.state.last_created, now)) return {log.state.end};
    push(db, log, {}, 0, nullptr, now);
    return {{log.state.end.number + 1, log.state.end.offset}};
}

trim_result trim(connection& db, trim_request const& request, time_ms now) {
    auto log = find_log(db, request.log);
    auto const record = lookup(db, log);
    auto const groups = load_groups(db, request.log);
    auto const limits = limits_of(db, request.log.incarnation);
    auto const target = rules::trim_target(log.state, limits, groups, request.age_measured_at(now), record);
    auto const stored = first_stored(db, log);
    auto const reached = std::min(target, stored + request.max_records);
    trim_result out;
    bool const advanced = reached > log.state.floor.number;
    if (advanced) {
        auto const before = record(reached - 1);
        log_position const floor{reached, before.offset};
        out.lost = rules::losses(groups, log.state, floor);
        log.state.floor = floor;
        log.floor_bytes = before.bytes;
        store_floor(db, request.log, log);
    }
    out.removed = remove(db, log, stored, reached);
    out.floor = log.state.floor;
    // Who trims goes on while there is more: something must have changed.
    out.more = reached < target && (advanced || out.removed > 0);
    return out;
}

void clear(connection& db, log_id id) {
    auto log = find_log(db, id);
    auto const stored = first_stored(db, log);
    log.state.floor = log.state.end;
    log.state.cleared = log.state.end.offset;
    log.floor_bytes = log.end_bytes;
    store_floor(db, id, log);
    // Removing a huge log at once would block other writers. The next trims remove the rest below the floor.
    remove(db, log, stored, stored + 4096);
}

read_result read(connection& db, log_id id, std::int64_t from_number, read_limits limits) {
    auto const log = find_log(db, id);
    auto const& floor = log.state.floor;
    auto const& end = log.state.end;
    read_result out{{}, log.state};
    // Where the next record must be. Only the floor's offset is known before the first one.
    auto next = std::max({std::min(from_number, end.number), floor.number});
    std::optional<std::int64_t> offset;
    if (next == floor.number) offset = floor.offset;
    auto query =
        db.prepare(MINIBATCH_SELECT_HEADER ", data FROM minibatch_segments WHERE id >= ?1 AND id < ?2 ORDER BY id");
    query.bind(log.id(next), log.id(end.number));
    std::size_t bytes = 0;
    for (; next < end.number; ++next) {
        if (out.records.size() >= static_cast<std::size_t>(std::max(1, limits.max_records))) break;
        if (!query.step()) missing(db, id, next);
        auto const header = header_from(log, query);
        if (header.number != next) missing(db, id, next);
        check_record(db, id, next, validation::defect_of(header, {next, offset.value_or(header.first)}));
        offset = header.first + header.count;
        auto const size = static_cast<std::size_t>(header.bytes);
        if (!out.records.empty() && bytes + size > limits.max_bytes) break;
        bytes += size;
        std::shared_ptr<std::string const> text;
        if (header.count > 0) text = std::make_shared<std::string const>(query.text(6));
        if (text && text->size() != size) damaged(db, id, next, "its data is cut off");
        try {
            out.records.push_back(std::make_shared<log::segment const>(next, header.first, header.count, header.created,
                                                                       std::move(text)));
        } catch (error const& damage) {
            damaged(db, id, next, damage.diagnostics());
        }
    }
    if (next == end.number && offset && *offset != end.offset)
        damaged(db, id, next - 1, "it ends at another offset than the log");
    return out;
}

std::int64_t locate(connection& db, log_row const& log, std::int64_t offset) {
    return rules::locate(log.state, offset, lookup(db, log));
}

time_ms created_at(connection& db, log_row const& log, std::int64_t number) {
    return header_of(db, log, number).created;
}

void check_place(connection& db, log_row const& log, log_position place) {
    auto const& state = log.state;
    // Reading from a record too low steps over what is below the offset; from one too high it would leave out messages.
    if (place.number <= state.floor.number) return;
    auto const first = place.number < state.end.number ? header_of(db, log, place.number).first : state.end.offset;
    if (first > place.offset)
        damaged(db, log.log, place.number,
                "it begins behind offset " + std::to_string(place.offset) + ", which a group's progress expects in it");
}

}  // namespace minibatch::store::sqlite
