#include "store/mongo/streams/stream_table.hpp"

#include <algorithm>

#include "store/mongo/wire/commands.hpp"
#include "store/names.hpp"
#include "store/rules.hpp"

namespace minibatch::store::mongo {
namespace {

/// The limits of a stream may be changed by other handles.
constexpr std::chrono::seconds remembered_for{5};

/// A random number is not enough: two machines that are resumed from one snapshot may draw the same one, and two
/// streams would share their logs.
std::int64_t incarnation_for(std::string const& name, time_ms now) {
    auto const drawn = static_cast<std::uint64_t>(new_incarnation());
    auto const mixed = (drawn ^ std::hash<std::string>()(name + '/' + std::to_string(now))) >> 2;
    return std::max<std::int64_t>(static_cast<std::int64_t>(mixed), 1);
}

}  // namespace

std::vector<stream_record> stream_table::query(bson::document const& filter, steady_time deadline) {
    std::vector<stream_record> out;
    std::string after;
    // By name, a thousand at a time.
    for (;;) {
        constexpr int at_once = 1'000;
        auto const command = bson::make([&](bson::builder& b) {
            b.add("find", collection::streams);
            b.object("filter", [&](bson::builder& all) {
                all.list("$and", [&](bson::builder& both) {
                    both.item(filter);
                    both.object_item([&](bson::builder& rest) {
                        rest.object("_id", [&](bson::builder& id) { id.add("$gt", after); });
                    });
                });
            });
            b.object("sort", [](bson::builder& sort) { sort.add("_id", 1); });
            b.add("limit", at_once).add("batchSize", at_once).add("singleBatch", true);
            b.add("readConcern", clients_.read_concern());
        });
        auto const reply = clients_.run("read streams", command_kind::read, *command.get(), deadline);
        int count = 0;
        documents_of(reply, "a stream", [&](bson::fields const& each) {
            ++count;
            after = each.text("_id");
            if (!after.starts_with(notes_from)) out.push_back(remember(parse_stream(each)));
        });
        if (count < at_once) return out;
    }
}

stream_record stream_table::remember(stream_record record) {
    std::lock_guard const lock(mutex_);
    known_[record.incarnation] = {record, time_.steady_now()};
    return record;
}

void stream_table::forget(std::int64_t incarnation) {
    std::lock_guard const lock(mutex_);
    known_.erase(incarnation);
}

std::optional<stream_record> stream_table::find(std::string const& name, steady_time deadline) {
    auto found = query(bson::make([&](bson::builder& b) { b.add("_id", name); }), deadline);
    if (found.empty()) return std::nullopt;
    return std::move(found.front());
}

std::vector<stream_record> stream_table::list(steady_time deadline) { return query({}, deadline); }

stream_record stream_table::known(std::int64_t incarnation, steady_time deadline) {
    {
        std::lock_guard const lock(mutex_);
        auto const found = known_.find(incarnation);
        if (found != known_.end() && time_.steady_now() - found->second.since < remembered_for)
            return found->second.record;
    }
    auto const found =
        query(bson::make([&](bson::builder& b) { b.add("incarnation", incarnation_text(incarnation)); }), deadline);
    if (!found.empty()) return found.front();
    forget(incarnation);
    throw error(errc::stream_deleted, "the stream was deleted");
}

void stream_table::check(log_id log, steady_time deadline) {
    std::optional<stream_record> stream;
    {
        // If the stream was deleted, the log will show it.
        std::lock_guard const lock(mutex_);
        auto const found = known_.find(log.incarnation);
        if (found != known_.end()) stream = found->second.record;
    }
    if (!stream) stream = known(log.incarnation, deadline);
    if (log.partition < 0 || log.partition >= stream->partitions)
        throw error(errc::invalid_argument,
                    "stream '" + stream->name + "' has no partition " + std::to_string(log.partition));
}

void stream_table::make_heads(stream_record const& stream, steady_time deadline) {
    constexpr int at_once = 256;
    for (int begin = 0; begin < stream.partitions; begin += at_once) {
        auto const end = std::min(begin + at_once, stream.partitions);
        auto const command = bson::make([&](bson::builder& out) {
            out.add("insert", collection::segments);
            out.add("ordered", false);
            out.list("documents", [&](bson::builder& list) {
                for (int partition = begin; partition < end; ++partition)
                    list.item(make_head({stream.incarnation, partition}));
            });
        });
        // If an answer was lost, the heads are there already.
        clients_.insert_if_absent("create stream", *command.get(), deadline);
    }
}

stream_record stream_table::open(std::string const& name, std::optional<int> partitions,
                                 std::optional<retention> const& limits, steady_time deadline) {
    for (int tries = 0;; ++tries) {
        if (tries > 0 && !pause_before_retry(tries, deadline))
            throw error(errc::unavailable, "stream '" + name + "' changes each time it is to be opened");
        auto found = find(name, deadline);
        if (!found) {
            stream_record made{name, incarnation_for(name, time_.now()), partitions.value_or(1),
                               limits.value_or(retention{})};
            // The heads first, so that a stream that can be found is complete. If we lose the race they are removed.
            make_heads(made, deadline);
            auto const command = insert_one(collection::streams, make_stream(made));
            if (clients_.insert_if_absent("create stream", *command.get(), deadline)) return remember(std::move(made));
            auto const winner = find(name, deadline);
            if (winner && winner->incarnation == made.incarnation) return *winner;
            for (int partition = 0; partition < made.partitions; ++partition) {
                auto const remove = delete_head({made.incarnation, partition});
                clients_.run("create stream", command_kind::write, *remove.get(), deadline);
            }
            continue;
        }
        if (partitions && *partitions != found->partitions)
            throw error(errc::partition_mismatch, "stream '" + name + "' has " + std::to_string(found->partitions) +
                                                      " partitions, not " + std::to_string(*partitions));
        if (!limits || *limits == found->limits) return std::move(*found);
        found->limits = *limits;
        auto const change = update_one(
            collection::streams,
            [&](bson::builder& filter) {
                filter.add("_id", name).add("incarnation", incarnation_text(found->incarnation));
            },
            [&](bson::builder& b) { b.object("$set", [&](bson::builder& set) { add_limits(set, *limits); }); });
        auto const reply = clients_.run("open stream", command_kind::write, *change.get(), deadline);
        if (count_of(reply) > 0) return remember(std::move(*found));
    }
}

bson::document stream_table::delete_head(log_id log) const {
    return delete_one(collection::segments,
                      [&](bson::builder& filter) { add_key(filter, head_key(log), log, clients_.sharded()); });
}

}  // namespace minibatch::store::mongo
