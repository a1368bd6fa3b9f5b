#include "store/mongo/groups.hpp"

#include <algorithm>
#include <map>

#include "store/mongo/commands.hpp"
#include "store/mongo/expressions.hpp"
#include "store/rules.hpp"

namespace minibatch::store::mongo {
namespace {

/// The time, in milliseconds, as an expression of an update: the server's own, or the one that a test has given.
void add_now(bson::builder& into, char const* key, database_clock& time) {
    if (time.real())
        into.object(key, [](bson::builder& b) { b.add("$toLong", "$$NOW"); });
    else
        into.add(key, time.now());
}

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

/// By key.
std::map<std::string, group_state> load(client_pool& clients, std::vector<std::string> const& keys,
                                        steady_time deadline) {
    constexpr std::size_t at_once = 1'000;
    std::map<std::string, group_state> out;
    for (std::size_t i = 0; i < keys.size(); i += at_once) {
        std::vector<std::string> const part(
            keys.begin() + static_cast<std::ptrdiff_t>(i),
            keys.begin() + static_cast<std::ptrdiff_t>(std::min(i + at_once, keys.size())));
        auto const command = find_groups(part, clients.read_concern());
        auto const reply = clients.run("read groups", command_kind::read, *command.get(), deadline);
        documents_of(reply, "a consumer group",
                     [&](bson::fields const& each) { out.emplace(each.text("_id"), parse_group(each)); });
    }
    return out;
}

}  // namespace

void group_table::missing(group_id const& id, steady_time deadline) {
    static_cast<void>(logs_.read_head(id.log, deadline));  // or the stream is gone
    throw error(errc::group_not_found, "there is no group '" + id.group + "'");
}

std::optional<group_state> group_table::find(group_id const& id, steady_time deadline) {
    auto found = load(clients_, {group_key(id)}, deadline);
    if (found.empty()) return std::nullopt;
    return std::move(found.begin()->second);
}

std::vector<std::optional<group_state>> group_table::of_log(log_id log, std::vector<std::string> const& names,
                                                            steady_time deadline) {
    std::vector<std::string> keys;
    for (auto const& name : names) keys.push_back(group_key({log, name}));
    auto const found = load(clients_, keys, deadline);
    std::vector<std::optional<group_state>> out;
    for (auto const& key : keys) {
        auto const at = found.find(key);
        out.push_back(at == found.end() ? std::nullopt : std::optional(at->second));
    }
    return out;
}

group_state group_table::enroll(group_id const& id, start_position start, bool keep, steady_time deadline) {
    for (;;) {
        if (auto found = find(id, deadline)) {
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
        // Its name comes first, so that nobody trims what it starts at, then its progress.
        auto const announce = bson::make([&](bson::builder& out) {
            out.add("findAndModify", collection::segments);
            out.object("query",
                       [&](bson::builder& filter) { add_key(filter, head_key(id.log), id.log, clients_.sharded()); });
            out.object("update", [&](bson::builder& update) {
                update.object("$addToSet", [&](bson::builder& b) { b.add("groups", id.group); });
                update.object("$inc", [](bson::builder& b) { b.add("version", std::int64_t{1}); });
            });
            out.add("new", true);
        });
        auto const reply = clients_.run("register group", command_kind::write, *announce.get(), deadline);
        auto const value = bson::fields(*reply.get(), "an answer of the server").find("value");
        if (!value || !BSON_ITER_HOLDS_DOCUMENT(&value->at))
            throw error(errc::stream_deleted, "the stream was deleted");
        auto const front = parse_head(bson::fields(*reply.get(), "the head of a log").object("value"));
        if (front.deleted) throw error(errc::stream_deleted, "the stream was deleted");

        group_state made;
        made.id = id;
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
        for (int tries = 1;; ++tries) {
            auto const got = clients_.once(command_kind::write, *create.get(), deadline);
            if (!got.problem) return made;
            if (got.problem->server_code == duplicate_key) break;  // it is there
            if (got.problem->how == severity::refused || !pause_before_retry(tries, deadline))
                throw clients_.problem("register group", command_kind::write, *got.problem, false);
        }
    }
}

std::vector<group_state> group_table::list(std::int64_t incarnation, int partitions, steady_time deadline) {
    std::vector<std::string> keys;
    for (int partition = 0; partition < partitions; ++partition) {
        log_id const log{incarnation, partition};
        for (auto const& name : logs_.read_head(log, deadline).groups) keys.push_back(group_key({log, name}));
    }
    std::vector<group_state> out;
    for (auto& [key, group] : load(clients_, keys, deadline)) out.push_back(std::move(group));
    std::sort(out.begin(), out.end(), [](auto const& a, auto const& b) {
        return std::pair(a.id.group, a.id.log) < std::pair(b.id.group, b.id.log);
    });
    return out;
}

bool group_table::drop(std::int64_t incarnation, int partitions, std::string const& name, steady_time deadline) {
    auto const now = logs_.time().now();
    std::vector<group_state> there;
    bool listed = false;
    for (int partition = 0; partition < partitions; ++partition) {
        group_id const id{{incarnation, partition}, name};
        auto const front = logs_.read_head(id.log, deadline);
        listed = listed || std::find(front.groups.begin(), front.groups.end(), name) != front.groups.end();
        if (auto found = find(id, deadline)) there.push_back(std::move(*found));
    }
    for (auto const& group : there)
        if (group.held.held() && group.held.expires > now)
            throw error(errc::group_in_use, "group '" + name + "' is in use by " + group.held.owner);
    for (auto const& group : there) {
        // A group that is created again must not give out an epoch twice.
        auto const keep_epoch = update_one(
            collection::segments,
            [&](bson::builder& filter) { add_key(filter, head_key(group.id.log), group.id.log, clients_.sharded()); },
            [&](bson::builder& update) {
                update.object("$max", [&](bson::builder& b) { b.add("epoch_base", group.held.epoch); });
            });
        clients_.run("delete group", command_kind::write, *keep_epoch.get(), deadline);
        auto const remove = delete_one(collection::groups, [&](bson::builder& filter) {
            add_key(filter, group_key(group.id), group.id.log, clients_.sharded());
            filter.add("epoch", group.held.epoch);
        });
        auto const reply = clients_.run("delete group", command_kind::write, *remove.get(), deadline);
        if (count_of(reply) == 0 && find(group.id, deadline))
            throw error(errc::group_in_use, "group '" + name + "' has just been taken into use");
    }
    if (!listed) return !there.empty();
    for (int partition = 0; partition < partitions; ++partition) {
        log_id const log{incarnation, partition};
        auto const unlist = update_one(
            collection::segments,
            [&](bson::builder& filter) { add_key(filter, head_key(log), log, clients_.sharded()); },
            [&](bson::builder& update) {
                update.object("$pull", [&](bson::builder& b) { b.add("groups", name); });
                update.object("$inc", [](bson::builder& b) { b.add("version", std::int64_t{1}); });
            });
        clients_.run("delete group", command_kind::write, *unlist.get(), deadline);
    }
    return true;
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

acquire_result group_table::acquire(acquire_request const& request, steady_time deadline) {
    if (request.owner.empty() || request.acquisition.empty() || request.duration.count() <= 0)
        throw error(errc::invalid_argument,
                    "group '" + request.group.group + "': a lease needs an owner, an id and a duration");
    auto& time = logs_.time();
    auto const now = [&](bson::builder& into, char const* key) { add_now(into, key, time); };
    using namespace expression;
    auto const held = operation("$ne", field("$owner"), value(std::string_view()));
    auto const ours =
        operation("$and", held, operation("$eq", field("$acquisition"), value(std::string_view(request.acquisition))));
    auto const is_free = operation("$or", operation("$eq", field("$owner"), value(std::string_view())),
                                   operation("$lte", field("$expires"), now));
    auto const seen = request.unchanged.value_or(lease{"", "", -1, 0});
    auto const unchanged =
        operation("$and", operation("$eq", field("$acquisition"), value(std::string_view(seen.acquisition))),
                  operation("$and", operation("$eq", field("$epoch"), value(seen.epoch)),
                            operation("$eq", field("$expires"), value(seen.expires))));
    auto const may_have = operation("$or", is_free, unchanged);
    auto const granted = operation("$or", ours, may_have);
    auto const changes = operation(
        "$and", may_have, operation("$ne", field("$acquisition"), value(std::string_view(request.acquisition))));
    auto const plus_one = [](char const* name) { return operation("$add", field(name), value(std::int64_t{1})); };
    auto const until = operation("$add", now, value(std::int64_t{request.duration.count()}));
    auto const command = bson::make([&](bson::builder& out) {
        out.add("findAndModify", collection::groups);
        out.object("query", [&](bson::builder& filter) {
            add_key(filter, group_key(request.group), request.group.log, clients_.sharded());
        });
        out.list("update", [&](bson::builder& stages) {
            stages.object_item([&](bson::builder& stage) {
                stage.object("$set", [&](bson::builder& set) {
                    choose(operation("$and", changes, held), plus_one("$takeovers"), field("$takeovers"))(set,
                                                                                                          "takeovers");
                    choose(changes, plus_one("$epoch"), field("$epoch"))(set, "epoch");
                    choose(changes, value(std::string_view(request.owner)), field("$owner"))(set, "owner");
                    choose(changes, value(std::string_view(request.acquisition)), field("$acquisition"))(set,
                                                                                                         "acquisition");
                    choose(granted, until, field("$expires"))(set, "expires");
                });
            });
        });
        out.add("new", true);
    });
    auto const reply = clients_.run("acquire lease", command_kind::write, *command.get(), deadline);
    bson::fields const body(*reply.get(), "a consumer group");
    auto const found = body.find("value");
    if (!found || !BSON_ITER_HOLDS_DOCUMENT(&found->at)) missing(request.group, deadline);
    auto const group = parse_group(body.object("value"));
    bool const is_ours = group.held.held() && group.held.acquisition == request.acquisition;
    return {is_ours, group.held, is_ours ? group.state : progress{}};
}

void group_table::renew(std::span<write_job*> jobs, steady_time deadline) {
    using namespace expression;
    auto& time = logs_.time();
    auto const command = bson::make([&](bson::builder& out) {
        out.add("update", collection::groups);
        out.list("updates", [&](bson::builder& list) {
            for (auto const* job : jobs) {
                auto const& request = std::get<renew_request>(job->request);
                list.object_item([&](bson::builder& one) {
                    one.object("q", [&](bson::builder& filter) {
                        add_key(filter, group_key(request.group), request.group.log, clients_.sharded());
                        filter.add("epoch", request.epoch);
                        filter.object("owner", [](bson::builder& b) { b.add("$ne", ""); });
                    });
                    auto const now = [&](bson::builder& into, char const* key) { add_now(into, key, time); };
                    one.list("u", [&](bson::builder& stages) {
                        stages.object_item([&](bson::builder& stage) {
                            stage.object("$set", [&](bson::builder& set) {
                                operation("$add", now, value(std::int64_t{request.duration.count()}))(set, "expires");
                            });
                        });
                    });
                });
            }
        });
    });
    auto const reply = clients_.run("renew leases", command_kind::write, *command.get(), deadline);
    if (count_of(reply) == static_cast<std::int64_t>(jobs.size())) {
        for (auto* job : jobs) job->result = done{};
        return;
    }
    // Some are not ours any more: which?
    std::vector<std::string> keys;
    for (auto const* job : jobs) keys.push_back(group_key(std::get<renew_request>(job->request).group));
    auto const found = load(clients_, keys, deadline);
    for (auto* job : jobs) {
        auto const& request = std::get<renew_request>(job->request);
        auto const at = found.find(group_key(request.group));
        try {
            if (at == found.end()) missing(request.group, deadline);
            auto copy = at->second;
            rules::renew(copy, request, 0);
            job->result = done{};
        } catch (error const& problem) {
            job->result = problem;
        }
    }
}

void group_table::release(release_request const& request, steady_time deadline) {
    auto const command = update_one(
        collection::groups,
        [&](bson::builder& filter) {
            add_key(filter, group_key(request.group), request.group.log, clients_.sharded());
            filter.add("epoch", request.epoch);
        },
        [](bson::builder& update) {
            update.object("$set", [](bson::builder& fields) {
                fields.add("owner", "").add("acquisition", "").add("expires", std::int64_t{0});
            });
        });
    auto const reply = clients_.run("release lease", command_kind::write, *command.get(), deadline);
    if (count_of(reply) > 0) return;
    auto found = find(request.group, deadline);
    if (!found) missing(request.group, deadline);
    rules::release(*found, request);
}

void group_table::commit(commit_request const& request, resolve_log const& resolve, steady_time deadline) {
    if (!request.writes.empty()) {
        commit_with_writes(request, resolve, deadline);
        return;
    }
    rules::check_progress(request.state, errc::invalid_argument);
    auto const command = update_one(
        collection::groups,
        [&](bson::builder& filter) {
            add_key(filter, group_key(request.group), request.group.log, clients_.sharded());
            filter.add("epoch", request.epoch);
            filter.object("low", [&](bson::builder& b) { b.add("$lte", request.state.low); });
        },
        [&](bson::builder& update) {
            update.object("$set", [&](bson::builder& fields) { add_progress(fields, request.state); });
        });
    bool in_doubt = false;
    auto const reply = clients_.run("commit", command_kind::write, *command.get(), deadline, &in_doubt);
    if (count_of(reply) > 0) return;
    auto found = find(request.group, deadline);
    if (!found) missing(request.group, deadline);
    try {
        static_cast<void>(rules::commit(*found, request));
    } catch (error const& problem) {
        if (!in_doubt || problem.code() != errc::fenced) throw;
        // The try whose answer was lost may have come before the new holder.
        throw error(errc::outcome_unknown, std::string("a commit may have been stored; meanwhile ") + problem.what());
    }
}

std::vector<std::optional<lease>> group_table::leases(std::span<group_id const> ids, steady_time deadline) {
    std::vector<std::string> keys;
    for (auto const& id : ids) keys.push_back(group_key(id));
    auto const found = load(clients_, keys, deadline);
    std::vector<std::optional<lease>> out;
    for (auto const& key : keys) {
        auto const at = found.find(key);
        out.push_back(at == found.end() ? std::nullopt : std::optional(at->second.held));
    }
    return out;
}

}  // namespace minibatch::store::mongo
