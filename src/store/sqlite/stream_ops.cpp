#include "store/sqlite/stream_ops.hpp"

#include <algorithm>

#include "store/names.hpp"
#include "store/sqlite/log_ops.hpp"
#include "store/validation.hpp"

namespace minibatch::store::sqlite {
namespace {

stream_record stream_from(connection& db, statement const& row) {
    stream_record out;
    out.name = row.text(0);
    out.incarnation = row.stored(1);
    out.partitions = static_cast<int>(std::clamp<std::int64_t>(row.stored(2), -1, validation::max_partitions + 1));
    if (auto const age = row.optional(3)) out.limits.max_age = milliseconds(*age);
    out.limits.max_messages = row.optional(4);
    out.limits.max_bytes = row.optional(5);
    if (auto const defect = validation::defect_of(out)) db.corrupt("stream '" + out.name + "': " + *defect);
    return out;
}

std::optional<std::int64_t> age_of(retention const& limits) {
    return limits.max_age ? std::optional<std::int64_t>(limits.max_age->count()) : std::nullopt;
}

void create(connection& db, stream_record const& stream) {
    auto const& limits = stream.limits;
    db.prepare("INSERT INTO minibatch_streams VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
        .bind(std::string_view(stream.name), stream.incarnation, stream.partitions, age_of(limits), limits.max_messages,
              limits.max_bytes)
        .run();
    auto slot = db.query_integer("SELECT max(slot) FROM minibatch_partitions") + 1;
    if (slot <= 0 || slot >= slots - stream.partitions)
        throw error(errc::storage_full, "database '" + db.path() + "': too many partitions");
    for (int partition = 0; partition < stream.partitions; ++partition)
        db.prepare("INSERT INTO minibatch_partitions VALUES (?1, ?2, ?3, 0, 0, 0, 0, 0)")
            .bind(stream.incarnation, partition, slot++)
            .run();
}

}  // namespace

void check_alive(connection& db, std::int64_t incarnation) {
    auto query = db.prepare("SELECT 1 FROM minibatch_streams WHERE incarnation = ?1");
    query.bind(incarnation);
    if (!query.step()) throw error(errc::stream_deleted, "the stream was deleted");
}

std::string stream_name(connection& db, std::int64_t incarnation) {
    auto query = db.prepare("SELECT name FROM minibatch_streams WHERE incarnation = ?1");
    query.bind(incarnation);
    return query.step() ? query.string(0) : "of incarnation " + std::to_string(incarnation);
}

std::optional<stream_record> find_stream(connection& db, std::string const& name) {
    auto query = db.prepare(
        "SELECT name, incarnation, partitions, max_age, max_messages, max_bytes FROM minibatch_streams WHERE name = "
        "?1");
    query.bind(std::string_view(name));
    if (!query.step()) return std::nullopt;
    return stream_from(db, query);
}

std::vector<stream_record> list_streams(connection& db) {
    auto query = db.prepare(
        "SELECT name, incarnation, partitions, max_age, max_messages, max_bytes FROM minibatch_streams ORDER BY name");
    std::vector<stream_record> out;
    while (query.step()) out.push_back(stream_from(db, query));
    return out;
}

stream_record open_stream(connection& db, std::string const& name, std::optional<int> partitions,
                          std::optional<retention> const& limits) {
    auto found = find_stream(db, name);
    if (!found) {
        stream_record made{name, new_incarnation(), partitions.value_or(1), limits.value_or(retention{})};
        create(db, made);
        return made;
    }
    if (partitions && *partitions != found->partitions)
        throw error(errc::partition_mismatch, "stream '" + name + "' has " + std::to_string(found->partitions) +
                                                  " partitions, not " + std::to_string(*partitions));
    if (limits && *limits != found->limits) {
        found->limits = *limits;
        db.prepare("UPDATE minibatch_streams SET max_age = ?2, max_messages = ?3, max_bytes = ?4 WHERE name = ?1")
            .bind(std::string_view(name), age_of(*limits), limits->max_messages, limits->max_bytes)
            .run();
    }
    return *found;
}

bool drop_stream(connection& db, std::string const& name, std::int64_t incarnation) {
    db.prepare("DELETE FROM minibatch_streams WHERE name = ?1 AND incarnation = ?2")
        .bind(std::string_view(name), incarnation)
        .run();
    if (sqlite3_changes(db.handle()) == 0) return false;
    db.prepare("DELETE FROM minibatch_groups WHERE incarnation = ?1").bind(incarnation).run();
    db.prepare("UPDATE minibatch_partitions SET incarnation = -incarnation WHERE incarnation = ?1")
        .bind(incarnation)
        .run();
    return true;
}

retention limits_of(connection& db, std::int64_t incarnation) {
    auto query = db.prepare(
        "SELECT name, incarnation, partitions, max_age, max_messages, max_bytes FROM minibatch_streams "
        "WHERE incarnation = ?1");
    query.bind(incarnation);
    return query.step() ? stream_from(db, query).limits : retention{};
}

void clear_stream(connection& db, std::int64_t incarnation) {
    check_alive(db, incarnation);
    std::vector<int> partitions;
    {
        auto query = db.prepare("SELECT partition FROM minibatch_partitions WHERE incarnation = ?1");
        query.bind(incarnation);
        while (query.step()) partitions.push_back(static_cast<int>(query.integer(0)));
    }
    for (int const partition : partitions) clear(db, {incarnation, partition});
}

bool needs_sweep(connection& db) {
    return db.query_integer("SELECT count(*) FROM minibatch_partitions WHERE incarnation < 0") > 0;
}

bool sweep(connection& db) {
    std::int64_t slot = 0;
    {
        auto query = db.prepare("SELECT slot FROM minibatch_partitions WHERE incarnation < 0 LIMIT 1");
        if (!query.step()) return false;
        slot = query.stored(0);
        if (slot < 0 || slot >= slots)
            db.corrupt("a deleted stream: its slot is out of range: " + std::to_string(slot));
    }
    db.prepare(
          "DELETE FROM minibatch_segments WHERE id IN "
          "(SELECT id FROM minibatch_segments WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT 1024)")
        .bind(slot << number_bits, (slot + 1) << number_bits)
        .run();
    if (sqlite3_changes(db.handle()) == 0)
        db.prepare("DELETE FROM minibatch_partitions WHERE slot = ?1").bind(slot).run();
    return true;
}

}  // namespace minibatch::store::sqlite
