#include <map>

#include "bson/from_json.hpp"
#include "store/mongo/commands.hpp"
#include "store/mongo/groups.hpp"
#include "store/rules.hpp"
#include "store/time_limit.hpp"

/// Commits that carry writes: one transaction of the database.
namespace minibatch::store::mongo {
namespace {

struct options_deleter {
    void operator()(mongoc_transaction_opt_t* options) const noexcept { mongoc_transaction_opts_destroy(options); }
};
using options_ptr = std::unique_ptr<mongoc_transaction_opt_t, options_deleter>;

/// All of it sees one moment, and lasts.
options_ptr options_of(settings const& how) {
    options_ptr out(mongoc_transaction_opts_new());
    std::unique_ptr<mongoc_read_concern_t, void (*)(mongoc_read_concern_t*)> const reading(mongoc_read_concern_new(),
                                                                                           mongoc_read_concern_destroy);
    mongoc_read_concern_set_level(reading.get(), MONGOC_READ_CONCERN_LEVEL_SNAPSHOT);
    mongoc_transaction_opts_set_read_concern(out.get(), reading.get());
    std::unique_ptr<mongoc_write_concern_t, void (*)(mongoc_write_concern_t*)> const writing(
        mongoc_write_concern_new(), mongoc_write_concern_destroy);
    if (how.majority_writes)
        mongoc_write_concern_set_w(writing.get(), MONGOC_WRITE_CONCERN_W_MAJORITY);
    else if (!how.tag.empty())
        mongoc_write_concern_set_wtag(writing.get(), how.tag.c_str());
    else
        mongoc_write_concern_set_w(writing.get(), how.acknowledgements);
    mongoc_write_concern_set_journal(writing.get(), how.journal);
    mongoc_transaction_opts_set_write_concern(out.get(), writing.get());
    return out;
}

constexpr std::int32_t no_such_transaction = 251;

/// A try was in vain, and another one may do better.
struct again {
    failure why;
};

/// One try. Ends the transaction when it is destroyed, unless it was committed.
///
/// All tries of a commit share a session. A transaction that was begun and could not be ended, since the answers were
/// lost, is ended by the server when the next one begins in the same session; in another one it would be in the way
/// until the server gives it up, after a minute.
class transaction {
  public:
    transaction(client_pool& clients, client_pool::session& in, steady_time deadline)
        : clients_(clients), in_(in), deadline_(deadline) {
        time_limit const bounded(one_try(deadline_));
        if (auto const why = in_.begin()) check(*why);
        in_.add_to(options_);
        bson_error_t problem{};
        auto const how = options_of(clients.how());
        if (!mongoc_client_session_start_transaction(in_.get(), how.get(), &problem)) {
            bson::document const nothing;
            auto why = classify(problem, *nothing.get());
            if (problem.domain == MONGOC_ERROR_TRANSACTION) why.code = errc::unsupported;
            check(why);
        }
    }
    ~transaction() {
        if (committed_) return;
        // What is left of the time, and a little more, since others wait for the end.
        auto const until = std::max(deadline_, std::chrono::steady_clock::now() + milliseconds(100));
        time_limit const bounded(one_try(until), time_limit::apart{});
        // After a lost connection it takes the driver a moment to find the server again.
        bson_error_t ignored{};
        for (int tries = 1; !reachable() && pause_before_retry(tries, until);) ++tries;
        static_cast<void>(in_.client().get());
        mongoc_client_session_abort_transaction(in_.get(), &ignored);
    }
    transaction(transaction const&) = delete;
    transaction& operator=(transaction const&) = delete;

    /// `contested`: others may insert the same key meanwhile, so that another try may find another one.
    bson::document run(command_kind kind, bson_t const& command, bool contested = false) {
        auto got = clients_.once(in_.client(), kind, command, one_try(deadline_), options_.get());
        if (got.problem) check(*got.problem, contested);
        return std::move(got.body);
    }

    /// Again and again while it is not known whether it was done.
    void commit() {
        for (int tries = 1;; ++tries) {
            bson_error_t problem{};
            bson_t reply;
            time_limit const bounded(one_try(deadline_));
            static_cast<void>(in_.client().get());
            bool const done = mongoc_client_session_commit_transaction(in_.get(), &reply, &problem);
            bson::document const body(reply);
            bson_destroy(&reply);
            if (done) {
                committed_ = true;
                return;
            }
            auto why = classify(problem, *body.get());
            // That there is no such transaction need not last: the server that says so may be about to be replaced.
            bool const unknown = why.unknown_commit || why.how == severity::unknown ||
                                 (why.server_code == no_such_transaction && !why.transient_transaction);
            if (!unknown) check(why);
            if (!pause_before_retry(tries, deadline_)) {
                committed_ = true;  // or not: to abort it now could undo nothing that is known
                throw clients_.problem("commit", command_kind::write, why, true);
            }
        }
    }

  private:
    [[noreturn]] void check(failure why, bool contested = false) const {
        if (why.transient_transaction || why.how != severity::refused ||
            (contested && why.server_code == duplicate_key)) {
            why.how = severity::not_done;
            throw again{why};
        }
        throw clients_.problem("commit", command_kind::write, why, false);
    }

    bool reachable() const {
        bson_error_t ignored{};
        auto* const server = mongoc_client_select_server(in_.client().get(), true, nullptr, &ignored);
        mongoc_server_description_destroy(server);
        return server != nullptr;
    }

    client_pool& clients_;
    client_pool::session& in_;
    bson::document options_;  // name the session in commands
    steady_time deadline_;
    bool committed_ = false;
};

void carry_out(transaction& with, document_write const& write) {
    auto const& target = write.target;
    auto document = bson::from_json(write.document);
    if (write.what == document_write::kind::insert) {
        auto const command = insert_one(target.c_str(), document);
        with.run(command_kind::write, *command.get());
        return;
    }
    auto const command = update_one(
        target.c_str(), [&](bson::builder& filter) { filter.add("_id", write.key); },
        [&](bson::builder& replacement) {
            replacement.add("_id", write.key);
            bson_copy_to_excluding_noinit(document.get(), &replacement.raw(), "_id", nullptr);
        },
        true);
    with.run(command_kind::write, *command.get(), true);
}

/// Adds a record at the end as it is known; another one there, or a log that has moved on, makes it a try in vain.
void append_in(transaction& with, logs& all, log_id log, log_end& end, document_write const& write) {
    if (end.deleted) throw error(errc::stream_deleted, "the stream to append to was deleted");
    std::string const text = "[" + write.document + "]";
    new_record record;
    record.batch = random_batch();
    record.count = 1;
    record.bytes = static_cast<std::int64_t>(text.size());
    auto const messages = make_messages(text, 1);
    placement const where{end.end.number, end.end.offset, rules::stamp(all.time().now(), end.last_created), end.bytes};
    auto const insert = bson::make([&](bson::builder& out) {
        out.add("insert", collection::segments);
        out.list("documents", [&](bson::builder& list) {
            list.object_item([&](bson::builder& b) { add_record(b, log, where, record, &messages); });
        });
    });
    with.run(command_kind::write, *insert.get(), true);
    auto const look = bson::make([&](bson::builder& out) {
        out.add("find", collection::segments);
        out.object("filter",
                   [&](bson::builder& filter) { add_key(filter, head_key(log), log, all.clients().sharded()); });
        out.add("limit", 1).add("singleBatch", true);
    });
    std::optional<head> front;
    auto const reply = with.run(command_kind::read, *look.get());
    documents_of(reply, "the head of a log", [&](bson::fields const& each) { front = parse_head(each); });
    if (!front || front->deleted) throw error(errc::stream_deleted, "the stream to append to was deleted");
    if (front->floor.number > where.number)
        throw again{failure{severity::not_done, errc::unavailable, "the log has moved on", 0, false, false}};
    record_header const added{where.number, where.first,  1,    where.created, where.bytes_before,
                              record.bytes, record.batch, false};
    end = end_after(added, end.learned);
}

}  // namespace

void group_table::commit_with_writes(commit_request const& request, resolve_log const& resolve, steady_time deadline) {
    if (!transactions_)
        throw error(errc::unsupported, "MongoDB at " + clients_.how().hosts +
                                           ": a commit with writes needs transactions, which a standalone server does "
                                           "not have; run it as a replica set");
    rules::check_progress(request.state, errc::invalid_argument);
    for (auto const& write : request.writes) rules::check_write(write);
    // Where appends go, and how far those logs are.
    std::vector<log_id> targets;
    for (auto const& write : request.writes)
        if (write.what == document_write::kind::append)
            targets.push_back(resolve(write.target, write.partition, deadline));

    auto const key = group_key(request.group);
    client_pool::session in(clients_);
    for (int tries = 1;; ++tries) {
        std::map<log_id, log_end> ends;
        for (auto const& log : targets)
            if (!ends.contains(log)) ends.emplace(log, logs_.look(log, deadline).end);
        try {
            transaction with(clients_, in, deadline);
            auto const find = bson::make([&](bson::builder& out) {
                out.add("find", collection::groups);
                out.object("filter", [&](bson::builder& filter) {
                    add_key(filter, group_key(request.group), request.group.log, clients_.sharded());
                });
                out.add("limit", 1).add("singleBatch", true);
            });
            auto const reply = with.run(command_kind::read, *find.get());
            std::optional<stored_group> group;
            documents_of(reply, "a consumer group", [&](bson::fields const& each) { group = parse_group(each); });
            if (!group) missing(request.group, deadline);
            if (group->held.epoch < request.epoch)
                throw again{
                    failure{severity::not_done, errc::unavailable, "an old view of the group", 0, false, false}};
            auto known = known_.of(key, request.epoch);
            if (known && group->held.epoch == request.epoch && group->revision > known->last &&
                !known->explains(group->revision))
                throw error(errc::fenced, "group '" + request.group.group +
                                              "': another process commits under the same lease; was it resumed from a "
                                              "snapshot of the machine?");
            if (!rules::commit(*group, request)) {
                with.commit();  // done by an earlier try, if what was read lasts
                known_.set(key, request.epoch, {group->revision, {}});
                return;
            }

            auto const revision = revisions_.beyond(group->revision);
            auto const save = update_one(
                collection::groups,
                [&](bson::builder& filter) {
                    add_key(filter, group_key(request.group), request.group.log, clients_.sharded());
                    filter.add("epoch", request.epoch);
                },
                [&](bson::builder& update) {
                    update.object("$set", [&](bson::builder& fields) {
                        add_progress(fields, request.state);
                        // Not in the filter: any change since the snapshot is a conflict.
                        fields.add("revision", revision);
                    });
                });
            if (count_of(with.run(command_kind::write, *save.get())) == 0)
                throw again{failure{severity::not_done, errc::unavailable, "the group has changed", 0, false, false}};
            std::size_t target = 0;
            for (auto const& write : request.writes) {
                if (write.what == document_write::kind::append) {
                    auto const log = targets[target++];
                    append_in(with, logs_, log, ends.at(log), write);
                } else
                    carry_out(with, write);
            }
            if (known) {
                known->perhaps.insert(revision);
                known_.set(key, request.epoch, *known);
            }
            with.commit();
            known_.set(key, request.epoch, {revision, {}});
            for (auto const& [log, end] : ends) logs_.note_written(log, end);
            return;
        } catch (again const& problem) {
            if (!pause_before_retry(tries, deadline))
                throw clients_.problem("commit", command_kind::write, problem.why, false);
        }
    }
}

}  // namespace minibatch::store::mongo
