#include "store/mongo/log/trimming.hpp"

#include <algorithm>

#include "store/mongo/wire/commands.hpp"
#include "store/mongo/wire/expressions.hpp"
#include "store/rules.hpp"

namespace minibatch::store::mongo {
namespace {

constexpr int removed_at_once = 500;

rules::record_end end_of(record_header const& record) {
    return {record.first + record.count, record.bytes_before + record.bytes, record.created};
}

/// The first number in [from, to) whose record must stay; `to` if all may be removed.
std::int64_t first_kept(log_lookup& all, log_id log, std::int64_t from, std::int64_t to, rules::removal const& may_go,
                        std::int64_t hint, steady_time deadline) {
    constexpr std::int64_t at_once = 62;
    for (bool first = true; from < to; first = false) {
        std::vector<std::int64_t> numbers;
        auto const step = std::max<std::int64_t>((to - from) / at_once, 1);
        for (auto number = from; number < to; number += step) numbers.push_back(number);
        // Most likely it is where the slowest group is.
        if (first)
            for (auto const number : {hint - 1, hint})
                if (number >= from && number < to) numbers.push_back(number);
        auto const found = all.headers(log, numbers, deadline);
        if (found.empty()) return from;  // trimmed by somebody else meanwhile
        for (auto const& record : found) {
            if (!may_go(end_of(record))) {
                to = record.number;
                break;
            }
            from = record.number + 1;
        }
    }
    return from;
}

/// False: the head has changed meanwhile.
bool move_floor(log_lookup& all, log_id log, head const& seen, log_position floor, std::int64_t bytes,
                std::optional<std::int64_t> cleared, steady_time deadline) {
    using namespace expression;
    // By `_id` alone, which finds the head among all the records at once; the conditions are part of the update.
    auto const applies = operation("$and", operation("$eq", field("$version"), value(seen.version)),
                                   operation("$lte", field("$floor_number"), value(floor.number)));
    auto const command = bson::make([&](bson::builder& out) {
        out.add("findAndModify", collection::segments);
        out.object("query",
                   [&](bson::builder& filter) { add_key(filter, head_key(log), log, all.clients().sharded()); });
        out.list("update", [&](bson::builder& stages) {
            stages.object_item([&](bson::builder& stage) {
                stage.object("$set", [&](bson::builder& set) {
                    choose(applies, value(floor.number), field("$floor_number"))(set, "floor_number");
                    choose(applies, value(floor.offset), field("$floor_offset"))(set, "floor_offset");
                    choose(applies, value(bytes), field("$floor_bytes"))(set, "floor_bytes");
                    if (cleared) choose(applies, value(*cleared), field("$cleared"))(set, "cleared");
                });
            });
        });
        out.add("new", true);
    });
    auto const reply = all.clients().run("trim", command_kind::write, *command.get(), deadline);
    bson::fields const body(*reply.get(), "the head of a log");
    auto const found = body.find("value");
    if (!found || !BSON_ITER_HOLDS_DOCUMENT(&found->at)) throw error(errc::stream_deleted, "the stream was deleted");
    auto const now = parse_head(body.object("value"));
    if (now.version != seen.version || now.floor != floor) return false;
    auto const of = all.views().of(log);
    std::lock_guard const lock(of->mutex);
    of->floor = std::max(of->floor, floor.number);
    return true;
}

void pause_or_give_up(log_id log, int tries, steady_time deadline) {
    if (!pause_before_retry(tries, deadline))
        throw error(errc::unavailable, "trim: others change log '" + head_key(log) + "' at the same time");
}

void remove(client_pool& clients, log_id log, std::vector<std::string> const& ids, steady_time deadline) {
    auto const command = bson::make([&](bson::builder& out) {
        out.add("delete", collection::segments);
        out.list("deletes", [&](bson::builder& list) {
            list.object_item([&](bson::builder& one) {
                one.object("q", [&](bson::builder& filter) {
                    filter.object("_id", [&](bson::builder& id) {
                        id.list("$in", [&](bson::builder& keys) {
                            for (auto const& each : ids) keys.item(each);
                        });
                    });
                    if (clients.sharded()) add_log(filter, log);
                });
                one.add("limit", 0);
            });
        });
    });
    clients.run("remove records", command_kind::write, *command.get(), deadline);
}

/// A write that only increments a counter, so that the server's time advances: it stands still while nothing is
/// written. Absent: a standalone server tells no time.
std::optional<cluster_time> advance_time(client_pool& clients, log_id log, steady_time deadline) {
    auto const command = update_one(
        collection::segments, [&](bson::builder& filter) { add_key(filter, head_key(log), log, clients.sharded()); },
        [](bson::builder& update) {
            update.object("$inc", [](bson::builder& b) { b.add("removals", std::int64_t{1}); });
        });
    return time_after(clients, *command.get(), deadline);
}

/// Those with numbers in [from, to).
void remove_range(client_pool& clients, log_id log, std::int64_t from, std::int64_t to, steady_time deadline) {
    while (from < to) {
        std::vector<std::string> ids;
        for (; from < to && std::ssize(ids) < removed_at_once; ++from) ids.push_back(record_key(log, from));
        remove(clients, log, ids, deadline);
    }
}

}  // namespace

std::optional<cluster_time> time_after(client_pool& clients, bson_t const& write, steady_time deadline) {
    try {
        return operation_time(clients.run("remove records", command_kind::write, write, deadline));
    } catch (error const& problem) {
        if (problem.code() != errc::storage_full) throw;
    }
    auto const ping = bson::make([](bson::builder& b) { b.add("ping", 1); });
    return operation_time(clients.run("remove records", command_kind::read, *ping.get(), deadline));
}

trim_result trim(log_lookup& all, group_table& table, trim_request const& request, retention const& limits,
                 steady_time deadline) {
    auto const log = request.log;
    for (int tries = 1;; ++tries) {
        auto const seen = all.look(log, deadline);
        auto const& front = seen.front;
        trim_result out;
        out.floor = front.floor;
        auto const last = seen.end.end.number - 1;  // always stays
        if (last <= front.floor.number) return out;

        auto const listed = table.of_log(log, front.groups, deadline);
        std::vector<group_state> groups;
        std::int64_t hint = front.floor.number;
        bool registering = false;
        for (auto const& group : listed) {
            registering = registering || !group;
            if (!group) continue;
            hint = groups.empty() ? group->state.low_number : std::min(hint, group->state.low_number);
            groups.push_back(*group);
        }
        log_state const state{front.floor, front.cleared, seen.end.end, seen.end.last_created, 0};
        auto may_go =
            rules::removable(state, limits, groups, request.age_measured_at(all.time().now()), seen.end.bytes);
        // A group that is being registered starts at the current floor.
        if (registering) may_go.committed.reset();
        auto const target = first_kept(all, log, front.floor.number, last, may_go, hint, deadline);
        auto const reached = std::min(target, front.floor.number + request.max_records);
        if (reached <= front.floor.number) return out;
        auto const record = all.header(log, reached, deadline);
        if (!record) {  // trimmed by somebody else meanwhile
            all.check_missing(log, reached, last, deadline);
            pause_or_give_up(log, tries, deadline);
            continue;
        }
        out.floor = {reached, record->first};
        out.lost = rules::losses(groups, state, out.floor);
        out.removed = reached - front.floor.number;
        out.more = reached < target;
        if (move_floor(all, log, front, out.floor, record->bytes_before, std::nullopt, deadline)) return out;
        pause_or_give_up(log, tries, deadline);
    }
}

void clear(log_lookup& all, log_id log, steady_time deadline) {
    for (int tries = 1;; ++tries) {
        auto const seen = all.look(log, deadline);
        auto const end = seen.end.end;
        if (move_floor(all, log, seen.front, end, seen.end.bytes, end.offset, deadline)) return;
        pause_or_give_up(log, tries, deadline);
    }
}

void remove_all(client_pool& clients, log_id log, steady_time deadline) {
    // The records that are there, not those that should be: an earlier try may have been interrupted anywhere.
    for (;;) {
        auto const command = bson::make([&](bson::builder& out) {
            out.add("find", collection::segments);
            out.object("filter", [&](bson::builder& filter) {
                filter.object("_id", [&](bson::builder& id) {
                    // The character after '/' ends the range.
                    id.add("$gt", head_key(log) + "/").add("$lt", head_key(log) + "0");
                });
                if (clients.sharded()) add_log(filter, log);
            });
            out.object("projection", [](bson::builder& fields) { fields.add("_id", 1); });
            out.add("limit", removed_at_once).add("batchSize", removed_at_once).add("singleBatch", true);
            out.add("readConcern", clients.read_concern());
        });
        auto const reply = clients.run("remove records", command_kind::read, *command.get(), deadline);
        std::vector<std::string> ids;
        documents_of(reply, "a record of a log", [&](bson::fields const& each) { ids.push_back(each.text("_id")); });
        if (ids.empty()) return;
        remove(clients, log, ids, deadline);
    }
}

void remove_records(log_lookup& all, steady_time deadline) {
    for (auto const& [log, of] : all.views().all()) {
        std::int64_t until = 0;
        std::optional<std::int64_t> from;
        {
            std::lock_guard const lock(of->mutex);
            until = std::min(of->floor, of->reached.ripe_below(all.time().steady_now()));
            from = of->removed_below;
        }
        if (until <= 0 || (from && *from >= until)) continue;
        auto const now = all.views().moment_of(advance_time(all.clients(), log, deadline));
        {
            std::lock_guard const lock(of->mutex);
            until = std::min(of->floor, of->reached.removable_below(now));
        }
        if (until <= 0 || (from && *from >= until)) continue;
        if (!from) {
            from = all.lowest(log, until, deadline);  // what others have left behind
        }
        remove_range(all.clients(), log, *from, until, deadline);
        std::lock_guard const lock(of->mutex);
        of->removed_below = until;
    }
}

}  // namespace minibatch::store::mongo
