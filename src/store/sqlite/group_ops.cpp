#include "store/sqlite/group_ops.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include "store/sqlite/log_ops.hpp"
#include "store/sqlite/stream_ops.hpp"
#include "store/validation.hpp"

namespace minibatch::store::sqlite {
namespace {

// A macro, since statements are cached by the address of one literal.
#define MINIBATCH_SELECT_GROUP                                                                                  \
    "SELECT partition, name, low, low_number, start_time, windows_end, takeovers, lost, keep, details, owner, " \
    "acquisition, epoch, expires FROM minibatch_groups "

[[noreturn]] void damaged(connection& db, group_id const& id, std::string const& defect) {
    auto const stream = stream_name(db, id.log.incarnation);
    db.corrupt(validation::group_name(stream, id.log.partition, id.group) + ": " + defect);
}

// The column `acquisition` holds "ID LENGTH RENEWALS". Earlier versions of the library write, and give back, an ID
// alone: a column more would make their writes fail.
std::string acquisition_column(lease const& held) {
    if (!held.held()) return {};
    return held.acquisition + ' ' + std::to_string(held.length.count()) + ' ' + std::to_string(held.renewals);
}

/// Reads "LENGTH RENEWALS".
bool read_term(std::string_view text, lease& into) {
    std::int64_t length = 0;
    auto const* const end = text.data() + text.size();
    auto const first = std::from_chars(text.data(), end, length);
    if (first.ec != std::errc{} || first.ptr == end || *first.ptr != ' ') return false;
    auto const second = std::from_chars(first.ptr + 1, end, into.renewals);
    into.length = milliseconds(length);
    return second.ec == std::errc{} && second.ptr == end && length > 0 && into.renewals >= 0;
}

/// From the columns owner, acquisition, epoch, expires.
lease lease_from(connection& db, statement const& row, int column, group_id const& of) {
    lease out{row.string(column), row.string(column + 1), row.stored(column + 2), row.stored(column + 3)};
    if (auto const at = out.acquisition.find(' '); at != std::string::npos) {
        if (!read_term(std::string_view(out.acquisition).substr(at + 1), out))
            damaged(db, of, "the term of its lease cannot be read");
        out.acquisition.resize(at);
    }
    if (auto const defect = validation::defect_of(out)) damaged(db, of, *defect);
    return out;
}

group_state group_from(connection& db, statement const& row, std::int64_t incarnation) {
    group_state out;
    out.id = {{incarnation, static_cast<int>(std::clamp<std::int64_t>(row.stored(0), -1, validation::max_partitions))},
              row.string(1)};
    if (out.id.log.partition < 0 || out.id.log.partition >= validation::max_partitions)
        damaged(db, out.id, "its partition is out of range");
    auto& state = out.state;
    state.low = row.stored(2);
    state.low_number = row.stored(3);
    state.start_time = row.stored(4);
    state.windows_end = row.optional(5);
    state.takeovers = static_cast<int>(std::clamp<std::int64_t>(row.stored(6), -1, std::numeric_limits<int>::max()));
    state.lost = row.stored(7);
    state.keep = row.stored(8) != 0;
    try {
        decode_details(row.text(9), state);
    } catch (error const& damage) {
        damaged(db, out.id, damage.diagnostics());
    }
    out.held = lease_from(db, row, 10, out.id);
    if (auto const defect = validation::defect_of(out)) damaged(db, out.id, *defect);
    return out;
}

/// The progress must be a place in the log, or beyond its end nothing would ever come.
void check_place(connection& db, group_state const& group) {
    auto const log = find_log_if(db, group.id.log);
    if (!log) damaged(db, group.id, "the stream has no such partition");
    if (auto const defect = validation::defect_of(group, log->state)) damaged(db, group.id, *defect);
    check_place(db, *log, log_position{group.state.low_number, group.state.low});
}

std::optional<group_state> load_if(connection& db, group_id const& id) {
    auto query = db.prepare(MINIBATCH_SELECT_GROUP "WHERE incarnation = ?1 AND partition = ?2 AND name = ?3");
    query.bind(id.log.incarnation, id.log.partition, std::string_view(id.group));
    if (!query.step()) return std::nullopt;
    return group_from(db, query, id.log.incarnation);
}

void save(connection& db, group_state const& group) {
    auto const& state = group.state;
    auto const& held = group.held;
    auto const details = encode_details(state);
    auto const acquisition = acquisition_column(held);
    db.prepare("INSERT OR REPLACE INTO minibatch_groups VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15)")
        .bind(group.id.log.incarnation, group.id.log.partition, std::string_view(group.id.group), state.low,
              state.low_number, state.start_time, state.windows_end, state.takeovers, state.lost, state.keep,
              std::string_view(details), std::string_view(held.owner), std::string_view(acquisition), held.epoch,
              held.expires)
        .run();
}

void save_lease(connection& db, group_state const& group) {
    auto const acquisition = acquisition_column(group.held);
    db.prepare(
          "UPDATE minibatch_groups SET owner = ?4, acquisition = ?5, epoch = ?6, expires = ?7, takeovers = ?8 "
          "WHERE incarnation = ?1 AND partition = ?2 AND name = ?3")
        .bind(group.id.log.incarnation, group.id.log.partition, std::string_view(group.id.group),
              std::string_view(group.held.owner), std::string_view(acquisition), group.held.epoch, group.held.expires,
              group.state.takeovers)
        .run();
}

void carry_out(connection& db, document_write const& write, time_ms now) {
    std::string_view const target = write.target;
    std::string_view const document = write.document;
    if (write.what == document_write::kind::append) {
        append_request request;
        request.log = find_named(db, write.target, write.partition);
        request.count = 1;
        request.text = std::make_shared<std::string const>("[" + write.document + "]");
        append(db, request, now);
    } else if (write.what == document_write::kind::upsert) {
        db.prepare(
              "INSERT INTO minibatch_collections (collection, key, document) VALUES (?1, ?2, ?3) "
              "ON CONFLICT (collection, key) DO UPDATE SET document = excluded.document")
            .bind(target, std::string_view(write.key), document)
            .run();
    } else {
        db.prepare("INSERT INTO minibatch_collections (collection, document) VALUES (?1, ?2)")
            .bind(target, document)
            .run();
    }
}

}  // namespace

group_state load_group(connection& db, group_id const& id) {
    if (auto found = load_if(db, id)) return std::move(*found);
    find_log(db, id.log);
    throw error(errc::group_not_found, "there is no group '" + id.group + "'");
}

std::vector<group_state> load_groups(connection& db, log_id log) {
    auto query = db.prepare(MINIBATCH_SELECT_GROUP "WHERE incarnation = ?1 AND partition = ?2 ORDER BY name");
    query.bind(log.incarnation, log.partition);
    std::vector<group_state> out;
    while (query.step()) out.push_back(group_from(db, query, log.incarnation));
    return out;
}

std::optional<lease> load_lease(connection& db, group_id const& id) {
    auto query = db.prepare(
        "SELECT owner, acquisition, epoch, expires FROM minibatch_groups "
        "WHERE incarnation = ?1 AND partition = ?2 AND name = ?3");
    query.bind(id.log.incarnation, id.log.partition, std::string_view(id.group));
    if (!query.step()) return std::nullopt;
    return lease_from(db, query, 0, id);
}

group_state enroll(connection& db, group_id const& id, start_position start, bool keep, time_ms now) {
    auto const log = find_log(db, id.log);
    auto group = load_if(db, id);
    if (group) check_place(db, *group);
    if (group && group->state.keep == keep) return *group;
    if (!group) {
        group.emplace();
        group->id = id;
        group->held.epoch = log.epoch_base;
        auto& state = group->state;
        auto const& end = log.state.end;
        state.low = start == start_position::earliest ? log.state.floor.offset : end.offset;
        state.low_number = locate(db, log, state.low);
        state.start_time =
            state.low < end.offset ? created_at(db, log, state.low_number) : rules::stamp(now, log.state.last_created);
    }
    group->state.keep = keep;
    save(db, *group);
    return *group;
}

std::vector<group_state> list_groups(connection& db, std::int64_t incarnation) {
    check_alive(db, incarnation);
    auto query = db.prepare(MINIBATCH_SELECT_GROUP "WHERE incarnation = ?1 ORDER BY name, partition");
    query.bind(incarnation);
    std::vector<group_state> out;
    while (query.step()) {
        out.push_back(group_from(db, query, incarnation));
        check_place(db, out.back());
    }
    return out;
}

bool drop_group(connection& db, std::int64_t incarnation, std::string const& name,
                std::span<partition_lease const> ended) {
    for (auto const& group : list_groups(db, incarnation))
        if (group.id.group == name && rules::in_use(group, ended))
            throw error(errc::group_in_use, "group '" + name + "' is in use by " + group.held.owner);
    // A group that is created again must not reuse an epoch, not even that of a late holder.
    db.prepare(
          "UPDATE minibatch_partitions AS p SET epoch_base = max(epoch_base, coalesce((SELECT g.epoch + 1 FROM "
          "minibatch_groups g WHERE g.incarnation = ?1 AND g.partition = p.partition AND g.name = ?2), 0)) "
          "WHERE incarnation = ?1")
        .bind(incarnation, std::string_view(name))
        .run();
    db.prepare("DELETE FROM minibatch_groups WHERE incarnation = ?1 AND name = ?2")
        .bind(incarnation, std::string_view(name))
        .run();
    return sqlite3_changes(db.handle()) > 0;
}

acquire_result acquire(connection& db, acquire_request const& request, time_ms now) {
    auto group = load_group(db, request.group);
    check_place(db, group);
    auto out = rules::acquire(group, request, now);
    if (out.granted) save_lease(db, group);
    return out;
}

void renew(connection& db, renew_request const& request, time_ms now) {
    auto group = load_group(db, request.group);
    rules::renew(group, request, now);
    save_lease(db, group);
}

void release(connection& db, release_request const& request) {
    auto group = load_group(db, request.group);
    rules::release(group, request);
    save_lease(db, group);
}

void commit(connection& db, commit_request const& request, time_ms now) {
    auto group = load_group(db, request.group);
    if (!rules::commit(group, request)) return;
    // Check everything that can be refused before changing anything.
    for (auto const& write : request.writes)
        if (write.what == document_write::kind::append) find_log(db, find_named(db, write.target, write.partition));
    for (auto const& write : request.writes) carry_out(db, write, now);
    save(db, group);
}

std::vector<std::pair<std::string, std::string>> read_collection(connection& db, std::string const& name) {
    auto query = db.prepare("SELECT key, document FROM minibatch_collections WHERE collection = ?1 ORDER BY id");
    query.bind(std::string_view(name));
    std::vector<std::pair<std::string, std::string>> out;
    while (query.step()) out.emplace_back(query.string(0), query.string(1));
    return out;
}

}  // namespace minibatch::store::sqlite
