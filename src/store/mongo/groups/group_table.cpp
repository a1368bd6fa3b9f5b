#include "store/mongo/groups/group_table.hpp"

#include <algorithm>

#include "store/mongo/log/batch_id.hpp"
#include "store/mongo/wire/commands.hpp"
#include "store/rules.hpp"

namespace minibatch::store::mongo {
namespace {

bson::document find_groups(std::vector<std::string> const& keys, bson::document const& concern) {
    return bson::make([&](bson::builder& out) {
        out.add("find", collection::groups);
        out.object("filter", [&](bson::builder& filter) {
            filter.object("_id", [&](bson::builder& id) {
                id.list("$in", [&](bson::builder& list) {
                    for (auto const& key : keys) list.item(key);
                });
            });
        });
        out.add("batchSize", static_cast<std::int32_t>(keys.size() + 1));
        out.add("singleBatch", true);
        out.add("readConcern", concern);
    });
}

bool lists(head const& front, std::string const& group) {
    return std::find(front.groups.begin(), front.groups.end(), group) != front.groups.end();
}

}  // namespace

std::map<std::string, stored_group> group_table::load(std::vector<std::string> const& keys, steady_time deadline,
                                                      std::optional<cluster_time> after) {
    constexpr std::size_t at_once = 1'000;
    std::map<std::string, stored_group> out;
    for (std::size_t i = 0; i < keys.size(); i += at_once) {
        std::vector<std::string> const part(
            keys.begin() + static_cast<std::ptrdiff_t>(i),
            keys.begin() + static_cast<std::ptrdiff_t>(std::min(i + at_once, keys.size())));
        auto const command = find_groups(part, clients_.read_concern(after));
        auto const reply = clients_.run("read groups", command_kind::read, *command.get(), deadline);
        documents_of(reply, "a consumer group",
                     [&](bson::fields const& each) { out.emplace(each.text("_id"), parse_group(each)); });
    }
    return out;
}

void group_table::missing(group_id const& id, steady_time deadline) {
    static_cast<void>(logs_.read_head(id.log, deadline));  // or the stream is gone
    throw error(errc::group_not_found, "there is no group '" + id.group + "'");
}

std::variant<failure, std::optional<stored_group>> group_table::look(group_id const& id,
                                                                     std::optional<cluster_time> after,
                                                                     steady_time deadline) try {
    auto const command = find_groups({group_key(id)}, clients_.read_concern(after));
    auto got = clients_.once(command_kind::read, *command.get(), deadline);
    if (got.problem) return *got.problem;
    std::optional<stored_group> out;
    documents_of(got.body, "a consumer group", [&](bson::fields const& each) { out = parse_group(each); });
    return out;
} catch (error const& damage) {
    return failure{severity::refused, static_cast<errc>(damage.code().value()), damage.what(), 0, false, false};
}

std::optional<stored_group> group_table::find(group_id const& id, steady_time deadline,
                                              std::optional<cluster_time> after) {
    auto found = load({group_key(id)}, deadline, after);
    if (found.empty()) return std::nullopt;
    return std::move(found.begin()->second);
}

std::vector<std::optional<group_state>> group_table::of_log(log_id log, std::vector<std::string> const& names,
                                                            steady_time deadline) {
    std::vector<std::string> keys;
    keys.reserve(names.size());
    for (auto const& name : names) keys.push_back(group_key({log, name}));
    auto const found = load(keys, deadline);
    std::vector<std::optional<group_state>> out;
    for (auto const& key : keys) {
        auto const at = found.find(key);
        out.push_back(at == found.end() ? std::nullopt : std::optional<group_state>(at->second));
    }
    return out;
}

group_state group_table::enroll(group_id const& id, start_position start, bool keep, steady_time deadline) {
    for (int tries = 0;; ++tries) {
        if (tries > 0 && !pause_before_retry(tries, deadline))
            throw error(errc::unavailable, "group '" + group_key(id) +
                                               "' cannot be registered: it changes each time, or its record " +
                                               "contradicts the head of its log");
        if (auto found = find(id, deadline)) {
            // If the name is not listed, or the epoch is older than a deletion of the group, the record is left over
            // from an interrupted or a late registration, and its messages were not kept.
            auto const front = logs_.read_head(id.log, deadline);
            if (!lists(front, id.group) || found->held.epoch < front.epoch_base) {
                withdraw(*found, deadline);
                continue;
            }
            if (found->state.keep == keep) return std::move(*found);
            auto const change = update_one(
                collection::groups,
                [&](bson::builder& filter) { add_key(filter, group_key(id), id.log, clients_.sharded()); },
                [&](bson::builder& update) {
                    update.object("$set", [&](bson::builder& fields) { fields.add("keep", keep); });
                });
            auto const reply = clients_.run("register group", command_kind::write, *change.get(), deadline);
            if (count_of(reply) == 0) continue;  // deleted meanwhile
            found->state.keep = keep;
            return std::move(*found);
        }
        // The name is added first, so that the records from its start on are not trimmed; then the progress.
        auto const front = announce(id, deadline);
        stored_group made;
        made.id = id;
        made.registration = random_id();
        made.held.epoch = front.epoch_base;
        made.state.keep = keep;
        auto const end = logs_.look(id.log, deadline).end;
        auto const at = start == start_position::earliest ? front.floor : end.end;
        made.state.low = at.offset;
        made.state.low_number = at.number;
        made.state.start_time = rules::stamp(logs_.time().now(), end.last_created);
        if (at.offset < end.end.offset) {
            made.state.low_number = logs_.locate(id.log, at.offset, deadline);
            if (auto const record = logs_.header(id.log, made.state.low_number, deadline))
                made.state.start_time = record->created;
        }
        auto const create = insert_one(collection::groups, make_group(made));
        if (!clients_.insert_if_absent("register group", *create.get(), deadline)) continue;
        // A deletion may have removed the name in between, and messages may have been trimmed. If an answer was lost,
        // the name may be there only because of our own earlier try.
        try {
            bool in_doubt = false;
            bool const listed = lists(announce(id, deadline, &in_doubt), id.group);
            if (listed && !in_doubt) return made;
        } catch (error const& problem) {
            if (problem.code() == errc::stream_deleted) withdraw(made, deadline);
            throw;
        }
        withdraw(made, deadline);
    }
}

void group_table::withdraw(stored_group const& group, steady_time deadline) {
    auto const command = delete_one(collection::groups, [&](bson::builder& filter) {
        add_key(filter, group_key(group.id), group.id.log, clients_.sharded());
        filter.add("registration", group.registration).add("owner", "");
    });
    clients_.run("register group", command_kind::write, *command.get(), deadline);
}

head group_table::announce(group_id const& id, steady_time deadline, bool* in_doubt) {
    auto const command = bson::make([&](bson::builder& out) {
        out.add("findAndModify", collection::segments);
        out.object("query",
                   [&](bson::builder& filter) { add_key(filter, head_key(id.log), id.log, clients_.sharded()); });
        out.object("update", [&](bson::builder& update) {
            update.object("$addToSet", [&](bson::builder& b) { b.add("groups", id.group); });
            update.object("$inc", [](bson::builder& b) { b.add("version", std::int64_t{1}); });
        });
    });
    auto const reply = clients_.run("register group", command_kind::write, *command.get(), deadline, in_doubt);
    auto const value = bson::fields(*reply.get(), "an answer of the server").find("value");
    if (!value || !BSON_ITER_HOLDS_DOCUMENT(&value->at)) throw error(errc::stream_deleted, "the stream was deleted");
    auto before = parse_head(bson::fields(*reply.get(), "the head of a log").object("value"));
    if (before.deleted) throw error(errc::stream_deleted, "the stream was deleted");
    return before;
}

std::vector<group_state> group_table::list(std::int64_t incarnation, int partitions, steady_time deadline) {
    std::vector<std::string> keys;
    for (int partition = 0; partition < partitions; ++partition) {
        log_id const log{incarnation, partition};
        for (auto const& name : logs_.read_head(log, deadline).groups) keys.push_back(group_key({log, name}));
    }
    std::vector<group_state> out;
    for (auto& [key, group] : load(keys, deadline)) out.push_back(std::move(group));
    std::sort(out.begin(), out.end(), [](auto const& a, auto const& b) {
        return std::pair(a.id.group, a.id.log) < std::pair(b.id.group, b.id.log);
    });
    return out;
}

bool group_table::drop(std::int64_t incarnation, int partitions, std::string const& name, steady_time deadline,
                       std::span<partition_lease const> ended) {
    std::vector<group_state> there;
    bool listed = false;
    for (int partition = 0; partition < partitions; ++partition) {
        group_id const id{{incarnation, partition}, name};
        listed = lists(logs_.read_head(id.log, deadline), name) || listed;
        if (auto found = find(id, deadline)) there.push_back(std::move(*found));
    }
    auto const now = server_time(deadline);
    for (auto const& group : there)
        if (group.held.expires > now && rules::in_use(group, ended))
            throw error(errc::group_in_use, "group '" + name + "' is in use by " + group.held.owner);
    for (auto const& group : there) {
        // If the group is created again, it must not give out an epoch twice, nor start with that of an old holder
        // whose commit may still arrive.
        auto const keep_epoch = update_one(
            collection::segments,
            [&](bson::builder& filter) { add_key(filter, head_key(group.id.log), group.id.log, clients_.sharded()); },
            [&](bson::builder& update) {
                update.object("$max", [&](bson::builder& b) { b.add("epoch_base", group.held.epoch + 1); });
            });
        clients_.run("delete group", command_kind::write, *keep_epoch.get(), deadline);
        auto const remove = delete_one(collection::groups, [&](bson::builder& filter) {
            add_key(filter, group_key(group.id), group.id.log, clients_.sharded());
            filter.add("epoch", group.held.epoch);
            // Earlier versions do not count.
            if (group.held.length.count() > 0) filter.add("renewals", group.held.renewals);
        });
        auto const reply = clients_.run("delete group", command_kind::write, *remove.get(), deadline);
        if (count_of(reply) == 0 && find(group.id, deadline))
            throw error(errc::group_in_use, "group '" + name + "' has just been taken into use");
    }
    if (!listed) return !there.empty();
    for (int partition = 0; partition < partitions; ++partition) unlist({{incarnation, partition}, name}, deadline);
    return true;
}

time_ms group_table::server_time(steady_time deadline) {
    if (!logs_.time().real()) return logs_.time().now();
    // The clock that is estimated here may have been set since.
    auto const command = bson::make([](bson::builder& b) { b.add("isMaster", 1); });
    auto const reply = clients_.run("delete group", command_kind::read, *command.get(), deadline);
    return bson::fields(*reply.get(), "the server's greeting").date("localTime");
}

void group_table::unlist(group_id const& id, steady_time deadline) {
    for (int tries = 0;; ++tries) {
        if (tries > 0 && !pause_before_retry(tries, deadline))
            throw error(errc::unavailable, "group '" + group_key(id) + "' changes each time it is to be deleted");
        auto const front = logs_.read_head(id.log, deadline);
        if (!lists(front, id.group) || find(id, deadline)) return;  // or it has been registered anew
        auto const take_off = update_one(
            collection::segments,
            [&](bson::builder& filter) {
                add_key(filter, head_key(id.log), id.log, clients_.sharded());
                filter.add("version", front.version);
            },
            [&](bson::builder& update) {
                update.object("$pull", [&](bson::builder& b) { b.add("groups", id.group); });
                update.object("$inc", [](bson::builder& b) { b.add("version", std::int64_t{1}); });
            });
        auto const reply = clients_.run("delete group", command_kind::write, *take_off.get(), deadline);
        if (count_of(reply) > 0) return;
    }
}

void group_table::drop_all(log_id log, std::vector<std::string> const& names, steady_time deadline) {
    if (names.empty()) return;
    auto const remove = bson::make([&](bson::builder& out) {
        out.add("delete", collection::groups);
        out.list("deletes", [&](bson::builder& list) {
            for (auto const& name : names)
                list.object_item([&](bson::builder& one) {
                    one.object("q", [&](bson::builder& filter) {
                        add_key(filter, group_key({log, name}), log, clients_.sharded());
                    });
                    one.add("limit", 1);
                });
        });
    });
    clients_.run("delete stream", command_kind::write, *remove.get(), deadline);
}

}  // namespace minibatch::store::mongo
