#include "store/mongo/streams/stream_remover.hpp"

#include "store/mongo/log/trimming.hpp"
#include "store/mongo/wire/commands.hpp"
#include "store/time_arithmetic.hpp"
#include "store/validation.hpp"

namespace minibatch::store::mongo {
namespace {

/// How often to look for notes of streams that others have deleted.
constexpr std::chrono::minutes sweep_period{10};
/// How long records and tombstones stay, so that a process that was cut off meets them.
constexpr auto tombstone_time = 2 * removal_delay;

/// The `_id` of the note that a stream was deleted, which stays until nothing is left of the stream.
std::string note_id(std::int64_t incarnation) { return "!" + incarnation_text(incarnation); }
constexpr char const* notes_to = "\"";  // the character after it

bson::document delete_stream(std::string const& name, std::int64_t incarnation) {
    return delete_one(collection::streams, [&](bson::builder& filter) {
        filter.add("_id", name).add("incarnation", incarnation_text(incarnation));
    });
}

}  // namespace

bool stream_remover::drop(std::string const& name, std::int64_t incarnation, steady_time deadline) {
    auto const found = streams_.find(name, deadline);
    if (!found || found->incarnation != incarnation) {
        finish(incarnation, deadline);
        return false;
    }
    // From here on any process can finish the deletion; this handle does if the call is interrupted.
    {
        std::lock_guard const lock(mutex_);
        sweep_at_ = views_.time().steady_now() + removal_delay;
    }
    auto const leave_note = update_one(
        collection::streams, [&](bson::builder& filter) { filter.add("_id", note_id(incarnation)); },
        [&](bson::builder& b) {
            b.object("$setOnInsert", [&](bson::builder& set) {
                set.add("name", name).add("of", incarnation_text(incarnation));
                set.add("partitions", std::int32_t{found->partitions}).date("deleted", views_.time().now());
            });
        },
        true);
    clients_.run("delete stream", command_kind::write, *leave_note.get(), deadline);
    auto const remove = delete_stream(name, incarnation);
    bool in_doubt = false;
    auto const reply = clients_.run("delete stream", command_kind::write, *remove.get(), deadline, &in_doubt);
    bool const ours = count_of(reply) > 0 || in_doubt;
    append_tombstones(incarnation, found->partitions, deadline);
    streams_.forget(incarnation);
    return ours;
}

void stream_remover::finish(std::int64_t incarnation, steady_time deadline) {
    auto const command = bson::make([&](bson::builder& b) {
        b.add("find", collection::streams);
        b.object("filter", [&](bson::builder& filter) { filter.add("_id", note_id(incarnation)); });
        b.add("limit", 1).add("singleBatch", true);
        b.add("readConcern", clients_.read_concern());
    });
    auto const reply = clients_.run("delete stream", command_kind::read, *command.get(), deadline);
    int partitions = 0;
    documents_of(reply, "a deleted stream", [&](bson::fields const& each) {
        partitions = static_cast<int>(each.integer("partitions", 1, validation::max_partitions));
    });
    if (partitions == 0) return;
    append_tombstones(incarnation, partitions, deadline);
    streams_.forget(incarnation);
}

bool stream_remover::has_tombstones_of_ours(std::int64_t incarnation) {
    std::lock_guard const lock(mutex_);
    return tombstones_.contains(incarnation);
}

void stream_remover::append_tombstones(std::int64_t incarnation, int partitions, steady_time deadline) {
    std::optional<cluster_time> marked;
    for (int partition = 0; partition < partitions; ++partition) {
        log_id const log{incarnation, partition};
        try {
            writer_.append_tombstone(log, deadline);
        } catch (error const& problem) {
            if (problem.code() != errc::stream_deleted) throw;
        }
        // A later registration is told that the stream was deleted; earlier groups are in the answer.
        auto const mark = bson::make([&](bson::builder& out) {
            out.add("findAndModify", collection::segments);
            out.object("query",
                       [&](bson::builder& filter) { add_key(filter, head_key(log), log, clients_.sharded()); });
            out.object("update", [](bson::builder& b) {
                b.object("$set", [](bson::builder& set) { set.add("deleted", true); });
                b.object("$inc", [](bson::builder& inc) { inc.add("version", std::int64_t{1}); });
            });
        });
        auto const reply = clients_.run("delete stream", command_kind::write, *mark.get(), deadline);
        marked = std::max(marked, operation_time(reply));
        bson::fields const body(*reply.get(), "the head of a log");
        if (auto const found = body.find("value"); found && BSON_ITER_HOLDS_DOCUMENT(&found->at))
            groups_.drop_all(log, parse_head(body.object("value")).groups, deadline);
        views_.forget(log);
    }
    std::lock_guard const lock(mutex_);
    tombstones_[incarnation] = views_.moment_of(marked);
}

void stream_remover::sweep(steady_time deadline) {
    auto const now = views_.time().steady_now();
    {
        std::lock_guard const lock(mutex_);
        if (sweep_at_ && *sweep_at_ > now) return;
        sweep_at_ = now + sweep_period;
    }
    auto const command = bson::make([&](bson::builder& b) {
        b.add("find", collection::streams);
        b.object("filter", [&](bson::builder& filter) {
            filter.object("_id",
                          [](bson::builder& id) { id.add("$gte", stream_table::notes_from).add("$lt", notes_to); });
        });
        b.add("limit", 100).add("singleBatch", true);
        b.add("readConcern", clients_.read_concern());
    });
    auto const reply = clients_.run("look for deleted streams", command_kind::read, *command.get(), deadline);
    std::vector<note> found;
    std::optional<error> failed;
    documents_of(reply, "the note of a deleted stream", [&](bson::fields const& each) {
        try {
            found.push_back({parse_incarnation(each.text("of")),
                             static_cast<int>(each.integer("partitions", 1, validation::max_partitions)),
                             each.date("deleted"), each.text("name")});
        } catch (error const& damage) {
            failed = damage;  // the others do not wait for it
        }
    });
    for (auto const& each : found) {
        try {
            sweep(each, now, deadline);
        } catch (error const& problem) {
            failed = problem;
        }
    }
    if (failed) throw *failed;
}

void stream_remover::sweep(note const& of, steady_time now, steady_time deadline) {
    // The process that has started the deletion may still be working on it.
    bool const ripe =
        saturating_difference(views_.time().now(), of.deleted) >= std::chrono::milliseconds(tombstone_time).count();
    if (ripe && !has_tombstones_of_ours(of.incarnation)) {
        // It is not known whether the other process has finished: the time counts from our own tombstones.
        auto const finish = delete_stream(of.name, of.incarnation);
        clients_.run("delete stream", command_kind::write, *finish.get(), deadline);
        append_tombstones(of.incarnation, of.partitions, deadline);
    }
    {
        std::lock_guard const lock(mutex_);
        auto const since = tombstones_.find(of.incarnation);
        if (!ripe || now - since->second.local < tombstone_time) {
            sweep_at_ = now + removal_delay;
            return;
        }
    }
    // Only a write is certain to advance the server's time.
    auto const count = update_one(
        collection::streams, [&](bson::builder& filter) { filter.add("_id", note_id(of.incarnation)); },
        [](bson::builder& b) { b.object("$inc", [](bson::builder& inc) { inc.add("removals", std::int64_t{1}); }); });
    auto const counted = time_after(clients_, *count.get(), deadline);
    {
        std::lock_guard const lock(mutex_);
        auto const since = tombstones_.find(of.incarnation);
        if (!has_passed(since->second, views_.moment_of(counted), tombstone_time)) {
            sweep_at_ = now + removal_delay;
            return;
        }
    }
    for (int partition = 0; partition < of.partitions; ++partition)
        remove_all(clients_, {of.incarnation, partition}, deadline);
    for (int partition = 0; partition < of.partitions; ++partition) {
        auto const last = streams_.delete_head({of.incarnation, partition});
        clients_.run("delete stream", command_kind::write, *last.get(), deadline);
    }
    auto const done =
        delete_one(collection::streams, [&](bson::builder& filter) { filter.add("_id", note_id(of.incarnation)); });
    clients_.run("delete stream", command_kind::write, *done.get(), deadline);
    std::lock_guard const lock(mutex_);
    tombstones_.erase(of.incarnation);
}

}  // namespace minibatch::store::mongo
