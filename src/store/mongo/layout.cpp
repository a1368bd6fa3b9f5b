#include "store/mongo/layout.hpp"

#include <cstdio>
#include <limits>

#include "bson/from_json.hpp"
#include "bson/messages.hpp"
#include "bson/to_json.hpp"
#include "store/validation.hpp"

namespace minibatch::store::mongo {
namespace {

std::string hex(std::int64_t value) {
    char text[20];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
    return text;
}

/// What is read may have been written by others.
void check(bson::fields const& from, std::optional<std::string> const& defect) {
    if (defect) from.damaged(*defect);
}

/// The end of a record's `_id`.
std::string number_text(std::int64_t number) {
    char text[32];
    std::snprintf(text, sizeof text, "/%012lld", static_cast<long long>(number));
    return text;
}

void add_optional(bson::builder& into, char const* key, std::optional<std::int64_t> value) {
    if (value)
        into.add(key, *value);
    else
        into.null(key);
}

std::optional<std::int64_t> optional_integer(bson::fields const& from, char const* key) {
    auto const at = from.find(key);
    if (!at || BSON_ITER_HOLDS_NULL(&at->at)) return std::nullopt;
    return from.integer(key);
}

}  // namespace

std::string incarnation_text(std::int64_t incarnation) { return hex(incarnation); }

std::int64_t parse_incarnation(std::string const& text) {
    std::size_t used = 0;
    unsigned long long value = 0;
    if (text.size() == 16 && text.find_first_not_of("0123456789abcdef") == text.npos)
        value = std::stoull(text, &used, 16);
    if (used != 16 || value == 0 || value > static_cast<unsigned long long>(INT64_MAX))
        throw error(errc::corrupt, "'" + text + "' is not the incarnation of a stream");
    return static_cast<std::int64_t>(value);
}

std::string head_key(log_id log) {
    char text[32];
    std::snprintf(text, sizeof text, "/%04d", log.partition);
    return hex(log.incarnation) + text;
}

std::string record_key(log_id log, std::int64_t number) { return head_key(log) + number_text(number); }

std::string group_key(group_id const& group) { return head_key(group.log) + "/" + group.group; }

void add_log(bson::builder& into, log_id log) {
    into.add("incarnation", hex(log.incarnation)).add("partition", std::int32_t{log.partition});
}

void add_key(bson::builder& filter, std::string const& key, log_id log, bool sharded) {
    filter.add("_id", key);
    if (sharded) add_log(filter, log);
}

// ---- heads --------------------------------------------------------------------------------------------------------

bson::document make_head(log_id log) {
    return bson::make([&](bson::builder& out) {
        out.add("_id", head_key(log));
        add_log(out, log);
        out.add("floor_number", std::int64_t{0}).add("floor_offset", std::int64_t{0});
        out.add("floor_bytes", std::int64_t{0}).add("cleared", std::int64_t{0});
        out.add("epoch_base", std::int64_t{0}).add("version", std::int64_t{0});
        out.list("groups", [](bson::builder&) {});
    });
}

head parse_head(bson::fields const& from) {
    head out;
    out.floor = {from.integer("floor_number"), from.integer("floor_offset")};
    out.floor_bytes = from.integer("floor_bytes");
    out.cleared = from.integer("cleared");
    out.epoch_base = from.integer("epoch_base", 0, validation::max_count);
    out.version = from.integer("version", 0, validation::max_count);
    check(from, validation::defect_of(log_state{out.floor, out.cleared, out.floor, 0, out.floor_bytes}));
    out.deleted = from.has("deleted");
    if (auto const list = from.array_if("groups")) {
        bson_iter_t at;
        if (!bson_iter_init(&at, &list->raw())) from.damaged("groups", "is not an array");
        while (bson_iter_next(&at)) {
            if (!BSON_ITER_HOLDS_UTF8(&at)) from.damaged("groups", "holds something else than names");
            out.groups.emplace_back(bson_iter_utf8(&at, nullptr));
        }
    }
    return out;
}

// ---- records ------------------------------------------------------------------------------------------------------

log_end end_after(record_header const& last, steady_time learned) {
    log_end out;
    out.end = last.end();
    out.last_created = last.created;
    out.bytes = last.bytes_before + last.bytes;
    out.last_batch = last.batch;
    out.last_count = last.count;
    out.deleted = last.deleted;
    out.learned = learned;
    return out;
}

bson::document make_messages(std::string const& text, std::int64_t count) {
    bson::document out;
    if (!bson::append_messages(*out, "data", text, count)) bson::builder(out).add("text", text);
    return out;
}

void add_record(bson::builder& into, log_id log, placement const& where, new_record const& record,
                bson::document const* messages, bool deleted) {
    into.add("_id", record_key(log, where.number));
    add_log(into, log);
    into.add("number", where.number).add("first", where.first).add("count", record.count);
    into.date("created", where.created).add("batch", record.batch);
    into.add("bytes_before", where.bytes_before).add("bytes", record.bytes);
    if (deleted) into.add("deleted", true);
    if (messages && !bson_concat(&into.raw(), messages->get()))
        throw error(errc::document_too_large, "a record of more than 2 GiB");
}

record_header parse_header(bson::fields const& from) {
    record_header out;
    out.number = from.integer("number");
    out.first = from.integer("first");
    out.count = from.integer("count");
    out.created = from.date("created");
    out.bytes_before = from.integer("bytes_before");
    out.bytes = from.integer("bytes");
    out.batch = from.text("batch");
    out.deleted = from.has("deleted");
    check(from, validation::defect_of(validation::record_header{out.number, out.first, out.count, out.created,
                                                                out.bytes_before, out.bytes}));
    if (auto const id = from.text_if("_id"); id && !id->ends_with(number_text(out.number)))
        from.damaged("number", "does not belong to this _id: " + std::to_string(out.number));
    return out;
}

void check_successor(log_id log, record_header const& before, record_header const& record) {
    auto const refuse = [&](std::string const& what) {
        throw error(errc::corrupt, "record '" + record_key(log, record.number) + "': " + what);
    };
    validation::record_header const header{record.number,  record.first,        record.count,
                                           record.created, record.bytes_before, record.bytes};
    if (auto const defect = validation::defect_of(header, before.end())) refuse(*defect);
    if (record.created < before.created) refuse("it was created before the record in front of it");
    if (record.bytes_before != before.bytes_before + before.bytes)
        refuse("its sum of bytes is not that of the record in front of it");
}

void add_header_fields(bson::builder& into, std::string const& prefix) {
    for (auto const* name :
         {"_id", "number", "first", "count", "created", "batch", "bytes_before", "bytes", "deleted", "floor_number",
          "floor_offset", "floor_bytes", "cleared", "epoch_base", "version", "groups"})
        into.add(prefix + name, 1);
}

std::shared_ptr<std::string const> text_of(bson::fields const& from, std::int64_t count) {
    if (auto whole = from.text_if("text")) return std::make_shared<std::string const>(std::move(*whole));
    auto const data = from.find("data");
    if (!data) from.damaged("data", "is missing");
    return std::make_shared<std::string const>(bson::messages_text(data->at, count));
}

log::segment_ptr parse_record(bson::fields const& from) {
    auto const header = parse_header(from);
    auto text = header.count > 0 ? text_of(from, header.count) : nullptr;
    return std::make_shared<log::segment const>(header.number, header.first, header.count, header.created,
                                                std::move(text));
}

// ---- groups -------------------------------------------------------------------------------------------------------

void add_progress(bson::builder& into, progress const& state) {
    into.add("low", state.low).add("low_number", state.low_number).add("start_time", state.start_time);
    add_optional(into, "windows_end", state.windows_end);
    into.add("takeovers", std::int32_t{state.takeovers}).add("lost", state.lost).add("keep", state.keep);
    into.add("details", bson::from_json(encode_details(state)));
}

bson::document make_group(stored_group const& group) {
    return bson::make([&](bson::builder& out) {
        out.add("_id", group_key(group.id));
        add_log(out, group.id.log);
        out.add("group", group.id.group);
        add_progress(out, group.state);
        out.add("owner", group.held.owner).add("acquisition", group.held.acquisition);
        out.add("epoch", group.held.epoch).add("expires", group.held.expires).add("revision", group.revision);
        out.add("length", std::int64_t{group.held.length.count()}).add("renewals", group.held.renewals);
        out.add("registration", group.registration);
    });
}

stored_group parse_group(bson::fields const& from) {
    stored_group out;
    out.id.log.incarnation = parse_incarnation(from.text("incarnation"));
    out.id.log.partition = static_cast<int>(from.integer("partition", 0, validation::max_partitions - 1));
    out.id.group = from.text("group");
    auto& state = out.state;
    state.low = from.integer("low");
    state.low_number = from.integer("low_number");
    state.start_time = from.integer("start_time");
    state.windows_end = optional_integer(from, "windows_end");
    state.takeovers = static_cast<int>(from.integer("takeovers", 0, std::numeric_limits<int>::max() / 2));
    state.lost = from.integer("lost");
    state.keep = from.boolean("keep");
    try {
        decode_details(bson::to_json(from.object("details").raw()), state);
    } catch (error const& problem) {
        from.damaged("details", std::string("cannot be read: ") + problem.what());
    }
    // Earlier versions have written neither the length nor the count.
    out.held = {from.text("owner"),
                from.text("acquisition"),
                from.integer("epoch"),
                from.integer("expires"),
                milliseconds(from.integer_if("length").value_or(0)),
                from.integer_if("renewals").value_or(0)};
    out.revision = from.integer("revision", 0, validation::max_count);
    out.registration = from.text("registration");
    check(from, validation::defect_of(static_cast<group_state const&>(out)));
    return out;
}

// ---- streams ------------------------------------------------------------------------------------------------------

void add_limits(bson::builder& into, retention const& limits) {
    add_optional(into, "max_age", limits.max_age ? std::optional<std::int64_t>(limits.max_age->count()) : std::nullopt);
    add_optional(into, "max_messages", limits.max_messages);
    add_optional(into, "max_bytes", limits.max_bytes);
}

bson::document make_stream(stream_record const& stream) {
    return bson::make([&](bson::builder& out) {
        out.add("_id", stream.name).add("incarnation", hex(stream.incarnation));
        out.add("partitions", std::int32_t{stream.partitions});
        add_limits(out, stream.limits);
        out.add("format", format);
    });
}

stream_record parse_stream(bson::fields const& from) {
    stream_record out;
    out.name = from.text("_id");
    if (auto const found = from.integer("format"); found > format)
        throw error(errc::schema_too_new, "stream '" + out.name + "' was made by a newer minibatch (format " +
                                              std::to_string(found) + "; this program knows " + std::to_string(format) +
                                              ")");
    out.incarnation = parse_incarnation(from.text("incarnation"));
    out.partitions = static_cast<int>(from.integer("partitions", 1, validation::max_partitions));
    if (auto const age = optional_integer(from, "max_age")) out.limits.max_age = milliseconds(*age);
    out.limits.max_messages = optional_integer(from, "max_messages");
    out.limits.max_bytes = optional_integer(from, "max_bytes");
    check(from, validation::defect_of(out));
    return out;
}

}  // namespace minibatch::store::mongo
