#include "store/mongo/groups/group_commits.hpp"

#include "store/mongo/groups/transactional_commit.hpp"
#include "store/mongo/wire/commands.hpp"
#include "store/rules.hpp"

namespace minibatch::store::mongo {
namespace {

bson::document update_of(commit_request const& request, committer::update const& what, bool sharded) {
    return update_one(
        collection::groups,
        [&](bson::builder& filter) {
            add_key(filter, group_key(request.group), request.group.log, sharded);
            filter.add("epoch", request.epoch);
            filter.object("low", [&](bson::builder& b) { b.add("$lte", request.state.low); });
            if (what.expected)
                filter.add("revision", *what.expected);
            else
                filter.object("revision", [&](bson::builder& b) { b.add("$lt", what.revision); });
        },
        [&](bson::builder& update) {
            update.object("$set", [&](bson::builder& fields) {
                add_progress(fields, request.state);
                fields.add("revision", what.revision);
            });
        });
}

/// Keeps what is known of the revision, however the commit ends.
struct remembered {
    revisions& known;
    std::string const& key;
    std::int64_t epoch;
    committer const& work;
    ~remembered() {
        if (work.known()) known.set(key, epoch, *work.known());
    }
};

}  // namespace

void group_commits::commit(commit_request const& request, resolve_log const& resolve, steady_time deadline) {
    if (request.writes.empty()) return commit_progress(request, deadline);
    if (!transactions_)
        throw error(errc::unsupported, "MongoDB at " + clients_.how().hosts +
                                           ": a commit with writes needs transactions, which a standalone server does "
                                           "not have; run it as a replica set");
    transactional_commit(groups_, known_, revisions_, request, resolve).run(deadline);
}

void group_commits::commit_progress(commit_request const& request, steady_time deadline) {
    rules::check_progress(request.state, errc::invalid_argument);
    auto const key = group_key(request.group);
    committer work(request, revisions_, known_.of(key, request.epoch));
    remembered const at_the_end{known_, key, request.epoch, work};
    failure why{severity::not_done, errc::unavailable, "no time left", 0, false, false};
    std::optional<cluster_time> answered_at;
    auto next = work.begin();
    auto const failed_step = [&] { return work.not_done(why, std::chrono::steady_clock::now() >= deadline); };
    for (;;) {
        if (auto const* update = std::get_if<committer::update>(&next)) {
            auto const command = update_of(request, *update, clients_.sharded());
            auto const got = clients_.once(command_kind::write, *command.get(), deadline);
            answered_at = operation_time(got.body);
            if (got.problem) why = *got.problem;
            next = got.problem ? failed_step() : work.updated(count_of(got.body) > 0);
        } else if (std::holds_alternative<committer::look>(next)) {
            auto const got = groups_.look(request.group, answered_at, deadline);
            if (auto const* problem = std::get_if<failure>(&got)) {
                why = *problem;
                next = failed_step();
            } else {
                auto const& found = std::get<std::optional<stored_group>>(got);
                next = work.looked(found, found ? found->revision : 0);
            }
        } else if (auto const* pause = std::get_if<committer::pause>(&next)) {
            next = pause_before_retry(pause->tries, deadline) ? work.paused() : work.not_done(why, true);
        } else if (auto const* failed = std::get_if<committer::failed>(&next)) {
            if (failed->code == errc::group_not_found) groups_.missing(request.group, deadline);
            if (failed->code == errc::fenced) throw error(errc::fenced, failed->text);
            why.text = failed->text;
            auto const told = clients_.problem("commit", command_kind::write, why, false);
            throw error(failed->code, told.diagnostics());
        } else {
            return;
        }
    }
}

}  // namespace minibatch::store::mongo
