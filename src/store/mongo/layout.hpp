#pragma once

#include <string>
#include <vector>

#include "bson/builder.hpp"
#include "bson/fields.hpp"
#include "store/mongo/log/appender.hpp"
#include "store/store.hpp"

/// The documents of a store on MongoDB, and their conversion.
///
/// - `minibatch_streams`: one document for each stream, whose `_id` is its name.
/// - `minibatch_segments`: the records of all logs, and one head for each log. Their `_id` is text of fixed width,
///   `<incarnation>/<partition>/<number>` and `<incarnation>/<partition>`, so that it sorts and is readable in a shell.
///   All are asked for by their `_id`, so that no other index is needed.
/// - `minibatch_groups`: the progress and the lease of each group in each partition.
///
/// Records, heads and groups repeat incarnation and partition in fields of their own, which are the shard key.
namespace minibatch::store::mongo {

namespace collection {
inline constexpr char const* streams = "minibatch_streams";
inline constexpr char const* segments = "minibatch_segments";
inline constexpr char const* groups = "minibatch_groups";
}  // namespace collection

/// Of the documents; a stream with a higher number was created by a newer program.
inline constexpr std::int32_t format = 1;
/// How many records a log can have in its life: as many as the digits of `_id` can count.
inline constexpr std::int64_t max_records = 1'000'000'000'000;

std::string incarnation_text(std::int64_t incarnation);
/// Throws errc::corrupt.
std::int64_t parse_incarnation(std::string const& text);

std::string head_key(log_id log);
std::string record_key(log_id log, std::int64_t number);
std::string group_key(group_id const& group);
/// The fields incarnation and partition.
void add_log(bson::builder& into, log_id log);
/// The filter for one document by its `_id`. On a sharded cluster it includes the shard key, so that the command goes
/// to one shard.
void add_key(bson::builder& filter, std::string const& key, log_id log, bool sharded);

/// The document that exists once for each log.
struct head {
    log_position floor;
    std::int64_t floor_bytes = 0;  // of the records below the floor
    std::int64_t cleared = 0;
    std::int64_t epoch_base = 0;
    /// The groups that are registered or are being registered.
    std::vector<std::string> groups;
    std::int64_t version = 0;  // grows with each change of the groups
    bool deleted = false;      // the stream was
};
bson::document make_head(log_id log);
head parse_head(bson::fields const& from);

/// A record without its messages.
struct record_header {
    std::int64_t number = 0;
    std::int64_t first = 0;
    std::int64_t count = 0;
    time_ms created = 0;
    std::int64_t bytes_before = 0;
    std::int64_t bytes = 0;
    std::string batch;
    bool deleted = false;  // the stream was

    log_position end() const noexcept { return {number + 1, first + count}; }
};
/// The end of the log if this is its last record.
log_end end_after(record_header const& last, steady_time learned);

/// The messages of a record as they are stored, `{data: […]}`; `{text: "…"}` if that would be too large. Throws
/// errc::corrupt when the text is not that of a segment with so many messages.
bson::document make_messages(std::string const& text, std::int64_t count);
/// The text that a record with these messages is read as.
std::shared_ptr<std::string const> text_of(bson::fields const& from, std::int64_t count);
/// Appends the fields of a record. `messages` is absent for control records.
void add_record(bson::builder& into, log_id log, placement const& where, new_record const& record,
                bson::document const* messages, bool deleted = false);
record_header parse_header(bson::fields const& from);
/// Throws errc::corrupt, which names the record, unless it may follow `before`, the record with the number before.
void check_successor(log_id log, record_header const& before, record_header const& record);
/// A projection to the fields that `parse_header` and `parse_head` read. An inclusive projection spares the server from
/// parsing the messages.
void add_header_fields(bson::builder& into, std::string const& prefix = {});
/// Throws errc::corrupt when the record is damaged.
log::segment_ptr parse_record(bson::fields const& from);

struct stored_group : group_state {
    std::int64_t revision = 0;  // of the last commit under this epoch
    std::string registration;   // random: distinguishes this registration from others under the same name
};
bson::document make_group(stored_group const& group);
stored_group parse_group(bson::fields const& from);
/// The fields of the progress alone.
void add_progress(bson::builder& into, progress const& state);

bson::document make_stream(stream_record const& stream);
stream_record parse_stream(bson::fields const& from);
void add_limits(bson::builder& into, retention const& limits);

}  // namespace minibatch::store::mongo
