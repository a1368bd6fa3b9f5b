#include "store/mongo/groups/transactional_commit.hpp"

#include <map>

#include "bson/from_json.hpp"
#include "store/mongo/log/batch_id.hpp"
#include "store/mongo/wire/commands.hpp"
#include "store/mongo/wire/transaction.hpp"
#include "store/rules.hpp"

namespace minibatch::store::mongo {
namespace {

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

/// Inserts a record at the known end. The try fails if the number is taken or the floor is above it.
void append_in(transaction& with, log_lookup& all, log_id log, log_end& end, document_write const& write) {
    if (end.deleted) throw error(errc::stream_deleted, "the stream to append to was deleted");
    std::string const text = "[" + write.document + "]";
    new_record record;
    record.batch = random_id();
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
        throw transaction_conflict{
            failure{severity::not_done, errc::unavailable, "the log has moved on", 0, false, false}};
    record_header const added{where.number, where.first,  1,    where.created, where.bytes_before,
                              record.bytes, record.batch, false};
    end = end_after(added, end.learned);
}

}  // namespace

void transactional_commit::run(steady_time deadline) {
    auto const& request = request_;
    rules::check_progress(request.state, errc::invalid_argument);
    for (auto const& write : request.writes) rules::check_write(write);
    // The logs to append to, and where they end.
    std::vector<log_id> targets;
    for (auto const& write : request.writes)
        if (write.what == document_write::kind::append)
            targets.push_back(resolve_(write.target, write.partition, deadline));

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
            if (!group) groups_.missing(request.group, deadline);
            if (group->held.epoch < request.epoch)
                throw transaction_conflict{
                    failure{severity::not_done, errc::unavailable, "an old view of the group", 0, false, false}};
            auto known = known_.of(key, request.epoch);
            if (known && group->held.epoch == request.epoch && !known->explains(group->revision, group->state))
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
                throw transaction_conflict{
                    failure{severity::not_done, errc::unavailable, "the group has changed", 0, false, false}};
            std::size_t target = 0;
            for (auto const& write : request.writes) {
                if (write.what == document_write::kind::append) {
                    auto const log = targets[target++];
                    append_in(with, logs_, log, ends.at(log), write);
                } else
                    carry_out(with, write);
            }
            if (known) {
                known->perhaps.insert_or_assign(revision, request.state);
                known_.set(key, request.epoch, *known);
            }
            with.commit();
            known_.set(key, request.epoch, {revision, {}});
            for (auto const& [log, end] : ends) logs_.views().note_written(log, end);
            return;
        } catch (transaction_conflict const& problem) {
            if (!pause_before_retry(tries, deadline))
                throw clients_.problem("commit", command_kind::write, problem.why, false);
        }
    }
}

}  // namespace minibatch::store::mongo
