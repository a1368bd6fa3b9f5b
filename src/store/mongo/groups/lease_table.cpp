#include "store/mongo/groups/lease_table.hpp"

#include <algorithm>
#include <utility>

#include "store/mongo/groups/lease_status.hpp"
#include "store/mongo/wire/commands.hpp"
#include "store/mongo/wire/expressions.hpp"
#include "store/rules.hpp"

namespace minibatch::store::mongo {
namespace {

/// The time in milliseconds as an expression of an update: the server's own, or the one that a test has set.
void add_now(bson::builder& into, char const* key, database_clock& time) {
    if (time.real())
        into.object(key, [](bson::builder& b) { b.add("$toLong", "$$NOW"); });
    else
        into.add(key, time.now());
}

}  // namespace

acquire_result lease_table::acquire(acquire_request const& request, steady_time deadline) {
    if (request.owner.empty() || request.acquisition.empty() || request.duration.count() <= 0)
        throw error(errc::invalid_argument,
                    "group '" + request.group.group + "': a lease needs an owner, an id and a duration");
    auto& time = time_;
    auto const now = [&](bson::builder& into, char const* key) { add_now(into, key, time); };
    using namespace expression;
    auto const held = operation("$ne", field("$owner"), value(std::string_view()));
    auto const ours =
        operation("$and", held, operation("$eq", field("$acquisition"), value(std::string_view(request.acquisition))));
    auto const is_free = operation("$or", operation("$eq", field("$owner"), value(std::string_view())),
                                   operation("$lte", field("$expires"), now));
    auto const seen = request.unchanged.value_or(lease{"", "", -1});
    auto const renewals = field_or("$renewals", std::int64_t{0});
    auto const same_holder =
        operation("$and", operation("$eq", field("$acquisition"), value(std::string_view(seen.acquisition))),
                  operation("$eq", field("$epoch"), value(seen.epoch)));
    auto const not_renewed = operation("$eq", renewals, value(seen.renewals));
    auto const unchanged = operation("$and", same_holder, not_renewed);
    // Earlier versions do not count renewals.
    auto const uncounted = operation(
        "$and", operation("$eq", field_or("$length", std::int64_t{0}), value(std::int64_t{seen.length.count()})),
        operation("$or", operation("$gt", field_or("$length", std::int64_t{0}), value(std::int64_t{0})),
                  operation("$eq", field("$expires"), value(seen.expires))));
    auto const may_have = operation("$or", is_free, operation("$and", unchanged, uncounted));
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
                    choose(changes, value(std::int64_t{0}), field("$revision"))(set, "revision");
                    choose(changes, value(std::string_view(request.owner)), field("$owner"))(set, "owner");
                    choose(changes, value(std::string_view(request.acquisition)), field("$acquisition"))(set,
                                                                                                         "acquisition");
                    choose(granted, until, field("$expires"))(set, "expires");
                    choose(granted, value(std::int64_t{request.duration.count()}),
                           field_or("$length", std::int64_t{0}))(set, "length");
                    choose(changes, value(std::int64_t{1}),
                           choose(granted, operation("$add", renewals, value(std::int64_t{1})), renewals))(set,
                                                                                                           "renewals");
                });
            });
        });
        out.add("new", true);
    });
    bool in_doubt = false;
    auto const reply = clients_.run("acquire lease", command_kind::write, *command.get(), deadline, &in_doubt);
    bson::fields const body(*reply.get(), "a consumer group");
    auto const found = body.find("value");
    if (!found || !BSON_ITER_HOLDS_DOCUMENT(&found->at)) groups_.missing(request.group, deadline);
    auto const group = parse_group(body.object("value"));
    bool const is_ours = group.held.held() && group.held.acquisition == request.acquisition;
    if (is_ours) {
        auto const key = group_key(request.group);
        renewals_.acquired(key, group.held, in_doubt);
        known_.acquired(key, group.held.epoch, group.revision);
    }
    return {is_ours, group.held, is_ours ? group.state : progress{}};
}

bson::document lease_table::renewal_of(std::span<write_job* const> jobs,
                                       std::span<std::optional<std::int64_t> const> counts) {
    using namespace expression;
    auto& time = time_;
    auto const now = [&](bson::builder& into, char const* key) { add_now(into, key, time); };
    return bson::make([&](bson::builder& out) {
        out.add("update", collection::groups);
        out.list("updates", [&](bson::builder& list) {
            for (std::size_t i = 0; i < jobs.size(); ++i) {
                auto const& request = std::get<renew_request>(jobs[i]->request);
                list.object_item([&](bson::builder& one) {
                    one.object("q", [&](bson::builder& filter) {
                        add_key(filter, group_key(request.group), request.group.log, clients_.sharded());
                        filter.add("epoch", request.epoch);
                        filter.object("owner", [](bson::builder& b) { b.add("$ne", ""); });
                        if (counts[i]) filter.add("renewals", *counts[i]);
                    });
                    one.list("u", [&](bson::builder& stages) {
                        stages.object_item([&](bson::builder& stage) {
                            stage.object("$set", [&](bson::builder& set) {
                                operation("$add", now, value(std::int64_t{request.duration.count()}))(set, "expires");
                                set.object("length", [&](bson::builder& b) {
                                    b.add("$literal", std::int64_t{request.duration.count()});
                                });
                                operation("$add", field_or("$renewals", std::int64_t{0}), value(std::int64_t{1}))(
                                    set, "renewals");
                            });
                        });
                    });
                });
            }
        });
    });
}

void lease_table::renew(std::span<write_job*> jobs, steady_time deadline) {
    // After an outage several renewals of one lease may wait: one of them is sent, since each expects a count.
    std::vector<write_job*> distinct;
    std::vector<std::pair<write_job*, write_job*>> repeated;  // and the one that is sent
    for (auto* const job : jobs) {
        auto const& request = std::get<renew_request>(job->request);
        auto const same = std::find_if(distinct.begin(), distinct.end(), [&](write_job const* each) {
            auto const& other = std::get<renew_request>(each->request);
            return other.group == request.group && other.epoch == request.epoch;
        });
        if (same == distinct.end())
            distinct.push_back(job);
        else
            repeated.emplace_back(job, *same);
    }
    renew_distinct(distinct, deadline);
    for (auto const& [job, sent] : repeated) job->result = sent->result;
}

void lease_table::renew_distinct(std::span<write_job* const> jobs, steady_time deadline) {
    std::vector<write_job*> open(jobs.begin(), jobs.end());
    bool maybe_done = false;
    // A try on a dead connection must leave time for another one before the leases expire.
    auto shortest = milliseconds::max();
    for (auto const* job : open) shortest = std::min(shortest, std::get<renew_request>(job->request).duration);
    for (int tries = 1; !open.empty(); ++tries) {
        std::vector<std::optional<std::int64_t>> counts;  // that the records must have
        counts.reserve(open.size());
        for (auto const* job : open) {
            auto const& request = std::get<renew_request>(job->request);
            counts.push_back(renewals_.expected(group_key(request.group), request.epoch));
        }
        auto const command = renewal_of(open, counts);
        bool in_doubt = false;
        auto const note = [&](bool applied, bool perhaps) {
            for (std::size_t i = 0; i < open.size(); ++i) {
                auto const& request = std::get<renew_request>(open[i]->request);
                if (counts[i]) renewals_.sent(group_key(request.group), request.epoch, *counts[i], applied, perhaps);
            }
        };
        bson::document reply;
        try {
            reply =
                clients_.run("renew leases", command_kind::write, *command.get(), deadline, &in_doubt, shortest / 2);
        } catch (error const&) {
            note(false, true);
            throw;
        }
        auto const matched = count_of(reply);
        bool const all_matched = matched == std::ssize(open);
        note(all_matched, in_doubt || matched > 0);
        if (all_matched)
            for (auto* job : open) job->result = done{};
        if (all_matched) return;
        maybe_done = maybe_done || in_doubt || matched > 0;
        // Reading shows which leases are lost. Which of the others were matched is not known: they are renewed again.
        std::vector<std::string> keys;
        keys.reserve(open.size());
        for (auto const* job : open) keys.push_back(group_key(std::get<renew_request>(job->request).group));
        std::map<std::string, stored_group> found;
        try {
            found = groups_.load(keys, deadline, operation_time(reply));
        } catch (error const& problem) {
            for (auto* job : open) job->result = error_after(problem, maybe_done);
            return;
        }
        auto const lost = std::erase_if(open, [&](write_job* job) { return lost_lease(*job, found, deadline); });
        if (lost > 0 || pause_before_retry(tries, deadline)) continue;
        failure const why{severity::unknown, errc::unavailable, "no time left", 0, false, false};
        for (auto* job : open) job->result = clients_.problem("renew leases", command_kind::write, why, maybe_done);
        return;
    }
}

bool lease_table::lost_lease(write_job& job, std::map<std::string, stored_group> const& found, steady_time deadline) {
    auto const& request = std::get<renew_request>(job.request);
    auto const at = found.find(group_key(request.group));
    try {
        if (at == found.end()) groups_.missing(request.group, deadline);
        auto const now = status_of(at->second.held, request.epoch);
        if (now == lease_status::old_view) return false;
        if (now == lease_status::ours) {
            if (renewals_.explains(group_key(request.group), at->second.held)) return false;
            throw error(errc::fenced, "group '" + request.group.group + "', partition " +
                                          std::to_string(request.group.log.partition) +
                                          ": another process renews the same lease; was it resumed from a snapshot of "
                                          "the machine?");
        }
        group_state copy = at->second;
        rules::renew(copy, request, 0);  // says why not
        return false;
    } catch (error const& problem) {
        job.result = problem;
        return true;
    }
}

void lease_table::release(release_request const& request, steady_time deadline) {
    auto const command = update_one(
        collection::groups,
        [&](bson::builder& filter) {
            add_key(filter, group_key(request.group), request.group.log, clients_.sharded());
            filter.add("epoch", request.epoch);
        },
        [](bson::builder& update) {
            update.object("$set", [](bson::builder& fields) {
                fields.add("owner", "").add("acquisition", "").add("expires", std::int64_t{0});
                fields.add("length", std::int64_t{0}).add("renewals", std::int64_t{0});
            });
        });
    bool maybe_done = false;
    for (int tries = 1;; ++tries) {
        bool in_doubt = false;
        auto const reply = clients_.run("release lease", command_kind::write, *command.get(), deadline, &in_doubt);
        if (count_of(reply) > 0) return;
        maybe_done = maybe_done || in_doubt;
        std::optional<group_state> found;
        try {
            found = groups_.find(request.group, deadline, operation_time(reply));
        } catch (error const& problem) {
            throw error_after(problem, maybe_done);
        }
        if (!found) groups_.missing(request.group, deadline);
        auto const now = status_of(found->held, request.epoch);
        if (now == lease_status::given_up) return;
        if (now == lease_status::lost) return rules::release(*found, request);  // says so
        if (pause_before_retry(tries, deadline)) continue;
        failure const why{severity::unknown, errc::unavailable, "no time left", 0, false, false};
        throw clients_.problem("release lease", command_kind::write, why, maybe_done);
    }
}

std::vector<std::optional<lease>> lease_table::leases(std::span<group_id const> ids, std::optional<cluster_time> after,
                                                      steady_time deadline) {
    std::vector<std::string> keys;
    keys.reserve(ids.size());
    for (auto const& id : ids) keys.push_back(group_key(id));
    auto const found = groups_.load(keys, deadline, after);
    std::vector<std::optional<lease>> out;
    for (auto const& key : keys) {
        auto const at = found.find(key);
        out.push_back(at == found.end() ? std::nullopt : std::optional(at->second.held));
    }
    return out;
}

}  // namespace minibatch::store::mongo
