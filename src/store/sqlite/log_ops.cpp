#include "store/sqlite/log_ops.hpp"

#include <algorithm>

#include "store/sqlite/group_ops.hpp"

namespace minibatch::store::sqlite {
namespace {

void read_end(connection& db, log_row& log) {
    auto query = db.prepare(
        "SELECT id, first, count, created, bytes_before + bytes, batch FROM minibatch_segments "
        "WHERE id >= ?1 AND id < ?2 ORDER BY id DESC LIMIT 1");
    query.bind(log.id(0), (log.slot + 1) << 40);
    if (!query.step()) return;
    log.state.end = {query.integer(0) - log.id(0) + 1, query.integer(1) + query.integer(2)};
    log.state.last_created = query.integer(3);
    log.end_bytes = query.integer(4);
    log.batch = query.text(5);
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

rules::record_lookup lookup(connection& db, log_row const& log) {
    return [&db, &log](std::int64_t number) {
        auto query =
            db.prepare("SELECT first + count, bytes_before + bytes, created FROM minibatch_segments WHERE id = ?1");
        query.bind(log.id(number));
        if (!query.step()) db.corrupt("record " + std::to_string(number) + " of a log is missing");
        return rules::record_end{query.integer(0), query.integer(1), query.integer(2)};
    };
}

retention limits_of(connection& db, std::int64_t incarnation) {
    auto query = db.prepare("SELECT max_age, max_messages, max_bytes FROM minibatch_streams WHERE incarnation = ?1");
    query.bind(incarnation);
    retention out;
    if (!query.step()) return out;
    if (auto const age = query.optional(0)) out.max_age = milliseconds(*age);
    out.max_messages = query.optional(1);
    out.max_bytes = query.optional(2);
    return out;
}

/// The number of the first record that is still stored.
std::int64_t first_stored(connection& db, log_row const& log) {
    auto query = db.prepare("SELECT id FROM minibatch_segments WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT 1");
    query.bind(log.id(0), (log.slot + 1) << 40);
    return query.step() ? query.integer(0) - log.id(0) : 0;
}

/// Removes the records [from, to) but not the last one; how many.
std::int64_t remove(connection& db, log_row const& log, std::int64_t from, std::int64_t to) {
    to = std::min(to, log.state.end.number - 1);
    if (from >= to) return 0;
    db.prepare("DELETE FROM minibatch_segments WHERE id >= ?1 AND id < ?2").bind(log.id(from), log.id(to)).run();
    return to - from;
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
    {
        auto query = db.prepare(
            "SELECT slot, floor_number, floor_offset, floor_bytes, cleared, epoch_base FROM minibatch_partitions "
            "WHERE incarnation = ?1 AND partition = ?2");
        query.bind(log.incarnation, log.partition);
        if (log.incarnation <= 0 || !query.step()) return std::nullopt;
        out.slot = query.integer(0);
        out.state.floor = {query.integer(1), query.integer(2)};
        out.floor_bytes = query.integer(3);
        out.state.cleared = query.integer(4);
        out.epoch_base = query.integer(5);
    }
    read_end(db, out);
    if (out.state.end < out.state.floor) db.corrupt("the end of a log is missing");
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
        // Stored by a try whose outcome was not known.
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
    auto const target = rules::trim_target(log.state, limits_of(db, request.log.incarnation), groups,
                                           request.age_measured_at(now), record);
    auto const stored = first_stored(db, log);
    auto const reached = std::min(target, stored + request.max_records);
    trim_result out;
    if (reached > log.state.floor.number) {
        auto const before = record(reached - 1);
        log_position const floor{reached, before.offset};
        out.lost = rules::losses(groups, log.state, floor);
        log.state.floor = floor;
        log.floor_bytes = before.bytes;
        store_floor(db, request.log, log);
    }
    out.removed = remove(db, log, stored, reached);
    out.floor = log.state.floor;
    out.more = reached < target;
    return out;
}

void clear(connection& db, log_id id) {
    auto log = find_log(db, id);
    auto const stored = first_stored(db, log);
    log.state.floor = log.state.end;
    log.state.cleared = log.state.end.offset;
    log.floor_bytes = log.end_bytes;
    store_floor(db, id, log);
    // A huge log would hold up the other writers: what is left below the floor goes with the next trims.
    remove(db, log, stored, stored + 4096);
}

read_result read(connection& db, log_id id, std::int64_t from_number, read_limits limits) {
    auto const log = find_log(db, id);
    read_result out{{}, log.state};
    auto next = std::max(from_number, log.state.floor.number);
    auto query = db.prepare(
        "SELECT id, first, count, created, bytes, data FROM minibatch_segments WHERE id >= ?1 AND id < ?2 ORDER BY id");
    query.bind(log.id(next), log.id(log.state.end.number));
    std::size_t bytes = 0;
    for (; next < log.state.end.number; ++next) {
        if (out.records.size() >= static_cast<std::size_t>(std::max(1, limits.max_records))) break;
        if (!query.step() || query.integer(0) != log.id(next))
            db.corrupt("record " + std::to_string(next) + " of a log is missing");
        auto const size = static_cast<std::size_t>(query.integer(4));
        if (!out.records.empty() && bytes + size > limits.max_bytes) break;
        bytes += size;
        std::shared_ptr<std::string const> text;
        if (query.integer(2) > 0) text = std::make_shared<std::string const>(query.text(5));
        if (text && text->size() != size) db.corrupt("record " + std::to_string(next) + " of a log is cut off");
        try {
            out.records.push_back(std::make_shared<log::segment const>(next, query.integer(1), query.integer(2),
                                                                       query.integer(3), std::move(text)));
        } catch (error const& damage) {
            db.corrupt(damage.diagnostics());
        }
    }
    return out;
}

std::int64_t locate(connection& db, log_row const& log, std::int64_t offset) {
    return rules::locate(log.state, offset, lookup(db, log));
}

time_ms created_at(connection& db, log_row const& log, std::int64_t number) { return lookup(db, log)(number).created; }

std::optional<std::string> batch_at(connection& db, log_id id, std::int64_t number) {
    auto const log = find_log_if(db, id);
    if (!log) return std::nullopt;
    auto query = db.prepare("SELECT batch FROM minibatch_segments WHERE id = ?1");
    query.bind(log->id(number));
    if (!query.step()) return std::nullopt;
    return query.string(0);
}

}  // namespace minibatch::store::sqlite
