#include "store/mongo/log/log_reader.hpp"

#include <algorithm>

#include "store/mongo/wire/commands.hpp"

namespace minibatch::store::mongo {
namespace {

/// How many records beyond the expected end a read asks for, to find the end.
constexpr std::int64_t look_ahead = 16;

}  // namespace

log_reader::page log_reader::read_page(log_id log, log_view& of, std::int64_t from, read_limits limits,
                                       steady_time deadline) {
    std::int64_t count = look_ahead;
    {
        std::lock_guard const lock(of.mutex);
        auto average = of.record_bytes;
        if (average == 0 && of.newest && of.newest->end.number > 0) average = of.newest->bytes / of.newest->end.number;
        if (average > 0) count = static_cast<std::int64_t>(limits.max_bytes) / average + 1;
        auto const expected = of.newest ? std::max<std::int64_t>(of.newest->end.number - from, 0) : 0;
        count = std::clamp<std::int64_t>(std::min(count, expected + look_ahead), 1, limits.max_records);
    }
    std::vector<std::int64_t> numbers;
    for (std::int64_t i = 0; i < count; ++i) numbers.push_back(from + i);
    page out;
    out.sent = lookup_.time().steady_now();
    auto const command = lookup_.find_by_key(log, numbers, true);
    auto const reply = lookup_.clients().run("read", command_kind::read, *command.get(), deadline);
    out.told = operation_time(reply);
    std::size_t bytes = 0;
    std::optional<head> front;
    bool full = false;
    auto const cursor = documents_of(reply, "a record of a log", [&](bson::fields const& each) {
        if (!each.has("number")) {
            front = parse_head(each);
            return;
        }
        if (full || out.gap || each.integer("number") < from) return;
        auto const header = parse_header(each);
        out.gap = header.number != from + static_cast<std::int64_t>(out.records.size());
        if (out.gap) {
            out.behind_gap = header.number;
            return;
        }
        if (out.last) check_successor(log, *out.last, header);
        if (front && header.number == front->floor.number && header.first != front->floor.offset)
            throw error(errc::corrupt, "record '" + record_key(log, header.number) +
                                           "' does not begin at the floor of its log, " +
                                           std::to_string(front->floor.offset));
        auto const size = static_cast<std::size_t>(header.bytes);
        full = !out.records.empty() && bytes + size > limits.max_bytes;
        if (full) return;
        bytes += size;
        out.last = header;
        out.records.push_back(parse_record(each));
    });
    if (cursor != 0) {
        // The answer could not hold all that was asked for.
        full = true;
        auto const kill = bson::make([&](bson::builder& b) {
            b.add("killCursors", collection::segments);
            b.list("cursors", [&](bson::builder& list) { list.item(cursor); });
        });
        lookup_.clients().once(command_kind::read, *kill.get(), deadline);
    }
    if (!front || front->deleted || (out.last && out.last->deleted))
        throw error(errc::stream_deleted, "the stream was deleted");
    out.front = std::move(*front);
    out.at_end = !full && !out.gap && out.records.size() < numbers.size();
    std::lock_guard const lock(of.mutex);
    of.floor = std::max(of.floor, out.front.floor.number);
    if (!out.records.empty())
        of.record_bytes = std::max<std::int64_t>(static_cast<std::int64_t>(bytes / out.records.size()), 1);
    return out;
}

read_result log_reader::read(log_id log, std::int64_t from, read_limits limits, steady_time deadline) {
    auto const of = lookup_.views().of(log);
    if (!lookup_.views().known_end(log)) static_cast<void>(lookup_.look(log, deadline));
    {
        std::lock_guard const lock(of->mutex);
        from = std::max({from, of->floor, std::int64_t{0}});
    }
    constexpr int most_rounds = 8;
    for (int round = 0; round < most_rounds; ++round) {
        auto got = read_page(log, *of, from, limits, deadline);
        auto const floor = got.front.floor;
        if (floor.number > from) {
            from = floor.number;  // trimmed or cleared meanwhile
            continue;
        }
        if (got.gap && got.records.empty()) {
            lookup_.check_missing(log, from, got.behind_gap, deadline);
            if (!pause_before_retry(round + 1, deadline)) break;
            continue;
        }
        auto const next = from + static_cast<std::int64_t>(got.records.size());
        auto end = lookup_.views().known_end(log);
        if (got.at_end && got.last) {
            end = end_after(*got.last, got.sent);
            lookup_.views().note_end(*of, *end, got.told);
        } else if (!end || end->end.number < next || (end->end.number == next && !got.at_end)) {
            end = lookup_.find_end(log, next, std::nullopt, deadline, nullptr)->end;
        }
        if (got.records.empty() && end->end.number > next) {  // it was appended meanwhile, or should be there
            lookup_.check_missing(log, next, end->end.number - 1, deadline);
            if (!pause_before_retry(round + 1, deadline)) break;
            continue;
        }
        read_result out;
        out.records = std::move(got.records);
        out.state = {floor, got.front.cleared, end->end, end->last_created, end->bytes - got.front.floor_bytes};
        return out;
    }
    throw error(errc::unavailable, "log '" + head_key(log) + "' changes faster than it can be read");
}

}  // namespace minibatch::store::mongo
