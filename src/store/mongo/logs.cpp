#include "store/mongo/logs.hpp"

#include <algorithm>
#include <utility>

#include "store/mongo/commands.hpp"

/// Where logs end and what is in their heads, and what is remembered of that.
namespace minibatch::store::mongo {
namespace {

/// Numbers in one question when something is searched for.
constexpr std::int64_t fan_out = 62;

failure lost(log_id) { return {severity::refused, errc::stream_deleted, "the stream was deleted", 0, false, false}; }

/// From a number on: its neighbours, then farther and farther ahead.
std::vector<std::int64_t> ahead_of(std::int64_t from) {
    std::vector<std::int64_t> out;
    for (auto number = std::max<std::int64_t>(from - 1, 0); number < from + 8; ++number) out.push_back(number);
    for (std::int64_t step = 16; from + step <= max_records; step *= 2) out.push_back(from + step - 1);
    return out;
}

}  // namespace

std::vector<std::int64_t> logs::spread(std::int64_t from, std::int64_t to) {
    std::vector<std::int64_t> out;
    auto const count = std::min(fan_out, to - from);
    for (std::int64_t i = 0; i < count; ++i) out.push_back(from + (to - from) * i / count);
    return out;
}

bson::document logs::find_by_key(log_id log, std::vector<std::int64_t> const& numbers, bool with_messages,
                                 std::optional<cluster_time> after) const {
    return bson::make([&](bson::builder& out) {
        out.add("find", collection::segments);
        out.object("filter", [&](bson::builder& filter) {
            filter.object("_id", [&](bson::builder& id) {
                id.list("$in", [&](bson::builder& keys) {
                    keys.item(head_key(log));
                    for (auto const number : numbers) keys.item(record_key(log, number));
                });
            });
            if (clients_.sharded()) add_log(filter, log);
        });
        out.object("sort", [](bson::builder& sort) { sort.add("_id", 1); });
        if (!with_messages) out.object("projection", [](bson::builder& fields) { add_header_fields(fields); });
        out.add("batchSize", static_cast<std::int32_t>(numbers.size() + 2));
        out.add("readConcern", clients_.read_concern(after));
    });
}

std::shared_ptr<log_view> logs::view(log_id log) {
    std::lock_guard const lock(mutex_);
    auto& found = views_[log];
    if (!found) found = std::make_shared<log_view>();
    return found;
}

std::vector<std::pair<log_id, std::shared_ptr<log_view>>> logs::views() {
    std::lock_guard const lock(mutex_);
    return {views_.begin(), views_.end()};
}

void logs::forget(log_id log) {
    std::lock_guard const lock(mutex_);
    views_.erase(log);
}

std::optional<log_end> logs::known_end(log_id log) {
    auto const of = view(log);
    std::lock_guard const lock(of->mutex);
    return of->newest;
}

bool logs::note_record(log_id log, record_header const& record) {
    auto const of = view(log);
    // When it was the end nobody knows: no ground to stand on when adding.
    auto const end = end_after(record, steady_time{});
    note_end(*of, end, std::nullopt);
    std::lock_guard const lock(of->mutex);
    return end.end.number > std::exchange(of->told, std::max(of->told, end.end.number));
}

void logs::note_written(log_id log, log_end const& end) {
    auto unproven = end;
    unproven.learned = {};  // the transaction does not tell its time
    note_end(*view(log), unproven, std::nullopt);
}

known_since logs::moment_of(std::optional<cluster_time> told) {
    // Where tests say what time it is, they say it for the server, too.
    if (told && !time_.real()) told = cluster_time{static_cast<std::uint32_t>(time_.now() / 1'000), 0};
    return {time_.steady_now(), told};
}

void logs::note_end(log_view& of, log_end const& end, std::optional<cluster_time> told) {
    std::lock_guard const lock(of.mutex);
    bool const beyond = !of.newest || end.end.number > of.newest->end.number;
    if (beyond || (end.end.number == of.newest->end.number && end.learned > of.newest->learned)) of.newest = end;
    if (told) tells_time_ = true;
    if (end.learned != steady_time{} && (told || !tells_time_)) of.reached.note(end.end.number, moment_of(told));
}

std::optional<logs::probed> logs::probe(log_id log, std::vector<std::int64_t> const& numbers,
                                        std::optional<cluster_time> after, steady_time deadline, failure* why) try {
    auto const command = find_by_key(log, numbers, false, after);
    bson::document reply;
    if (why) {
        auto got = clients_.once(command_kind::read, *command.get(), deadline);
        if (got.problem) {
            *why = *got.problem;
            return std::nullopt;
        }
        reply = std::move(got.body);
    } else {
        reply = clients_.run("read", command_kind::read, *command.get(), deadline);
    }
    probed out;
    out.told = operation_time(reply);
    documents_of(reply, "a record of a log", [&](bson::fields const& each) {
        if (each.has("number"))
            out.found.push_back(parse_header(each));
        else
            out.front = parse_head(each);
    });
    if (out.front && out.front->deleted) out.front.reset();
    return out;
} catch (error const& problem) {
    if (!why) throw;
    // Documents that are not ours, or damaged: who asks may have something to say that matters more.
    *why = {severity::refused, static_cast<errc>(problem.code().value()), problem.what(), 0, false, false};
    return std::nullopt;
}

std::optional<logs::found_end> logs::find_end(log_id log, std::int64_t from, std::optional<cluster_time> after,
                                              steady_time deadline, failure* why) {
    auto const began_at = from;
    auto const sent = time_.steady_now();
    auto numbers = ahead_of(from);
    std::optional<std::string> batch_at;
    std::optional<record_header> last;
    std::int64_t missing = max_records + 1;  // the lowest number above `last` that is not there
    bool at_floor = false;
    for (bool first = true;; first = false) {
        auto const found = probe(log, numbers, after, deadline, why);
        if (!found) return std::nullopt;
        if (!found->front) {
            if (why) *why = lost(log);
            if (!why) throw error(errc::stream_deleted, lost(log).text);
            return std::nullopt;
        }
        auto const floor = found->front->floor.number;
        for (auto const& each : found->found) {
            if (first && each.number == began_at) batch_at = each.batch;
            // Below the floor stands the last record of a cleared log, and what a late answer may have left.
            if (each.number >= floor - 1 && (!last || each.number > last->number)) last = each;
        }
        if (last) {
            for (auto const number : numbers)
                if (number > last->number) missing = std::min(missing, number);
            if (missing == last->number + 1 || last->deleted) {
                found_end out{*found->front, end_after(*last, sent), std::move(batch_at)};
                note_end(*view(log), out.end, found->told);
                return out;
            }
            numbers = spread(last->number + 1, missing);
            continue;
        }
        if (floor == 0 && (at_floor || from == 0)) {
            log_end nothing;
            nothing.learned = sent;
            return found_end{*found->front, nothing, std::nullopt};
        }
        if (at_floor && from == floor) {
            error const damage(errc::corrupt, "the last record of log " + head_key(log) + " is missing");
            if (!why) throw damage;
            *why = {severity::refused, errc::corrupt, damage.what(), 0, false, false};
            return std::nullopt;
        }
        // The log has been trimmed beyond what was asked for.
        from = floor;
        at_floor = true;
        numbers = ahead_of(from);
    }
}

std::vector<std::optional<log_position>> logs::ends(std::span<log_id const> asked, std::optional<cluster_time> after,
                                                    steady_time deadline) {
    constexpr std::size_t at_once = 500;
    std::vector<std::optional<log_position>> out(asked.size());
    for (std::size_t begin = 0; begin < asked.size(); begin += at_once) {
        auto const part = asked.subspan(begin, std::min(at_once, asked.size() - begin));
        std::vector<std::optional<log_end>> known;
        for (auto const& log : part) known.push_back(known_end(log));
        // The head of each log, to see whether it is there, and the record that would be next.
        auto const command = bson::make([&](bson::builder& b) {
            b.add("find", collection::segments);
            b.object("filter", [&](bson::builder& filter) {
                filter.object("_id", [&](bson::builder& id) {
                    id.list("$in", [&](bson::builder& keys) {
                        for (std::size_t i = 0; i < part.size(); ++i) {
                            keys.item(head_key(part[i]));
                            if (known[i]) keys.item(record_key(part[i], known[i]->end.number));
                        }
                    });
                });
            });
            b.object("projection",
                     [](bson::builder& fields) { fields.add("_id", 1).add("deleted", 1).add("floor_number", 1); });
            b.add("batchSize", static_cast<std::int32_t>(2 * part.size() + 1)).add("singleBatch", true);
            b.add("readConcern", clients_.read_concern(after));
        });
        auto const reply = clients_.run("look for changes", command_kind::read, *command.get(), deadline);
        std::map<std::string, std::int64_t> there;  // and the floors, in the heads
        documents_of(reply, "a record of a log", [&](bson::fields const& each) {
            if (!each.has("deleted")) there.emplace(each.text("_id"), each.integer_if("floor_number").value_or(0));
        });
        for (std::size_t i = 0; i < part.size(); ++i) {
            auto const front = there.find(head_key(part[i]));
            if (front == there.end()) continue;
            // Not there, and not removed either.
            if (known[i] && front->second <= known[i]->end.number &&
                !there.contains(record_key(part[i], known[i]->end.number))) {
                out[begin + i] = known[i]->end;
                continue;
            }
            try {
                out[begin + i] = look(part[i], deadline, after).end.end;
            } catch (error const& problem) {
                if (problem.code() != errc::stream_deleted) throw;
            }
        }
    }
    return out;
}

logs::overview logs::look(log_id log, steady_time deadline, std::optional<cluster_time> after) {
    auto const known = known_end(log);
    auto found = find_end(log, known ? known->end.number : 0, after, deadline, nullptr);
    return {std::move(found->front), std::move(found->end)};
}

head logs::read_head(log_id log, steady_time deadline) {
    auto found = probe(log, {}, std::nullopt, deadline, nullptr);
    if (!found->front) throw error(errc::stream_deleted, "the stream was deleted");
    return std::move(*found->front);
}

std::int64_t logs::lowest(log_id log, std::int64_t below, steady_time deadline) {
    std::vector<std::int64_t> numbers;
    for (std::int64_t step = 1; step <= below; step *= 2) numbers.push_back(below - step);
    auto const found = headers(log, numbers, deadline);
    if (found.empty()) return below;
    return std::max<std::int64_t>(0, below - 2 * (below - found.front().number));
}

std::vector<record_header> logs::headers(log_id log, std::span<std::int64_t const> numbers, steady_time deadline) {
    return probe(log, {numbers.begin(), numbers.end()}, std::nullopt, deadline, nullptr)->found;
}

void logs::check_missing(log_id log, std::int64_t number, std::int64_t later, steady_time deadline) {
    // In one answer: the head is read first, and the floor is moved long before a record below it is removed.
    auto const found = probe(log, {number, later}, std::nullopt, deadline, nullptr);
    if (!found->front || found->front->floor.number > number) return;
    if (found->found.size() == 1 && found->found.front().number == later)
        throw error(errc::corrupt, "record '" + record_key(log, number) + "' is missing, and a later one is there");
}

std::optional<record_header> logs::header(log_id log, std::int64_t number, steady_time deadline) {
    auto const found = headers(log, {&number, 1}, deadline);
    if (found.empty()) return std::nullopt;
    return found.front();
}

log_state logs::state(log_id log, steady_time deadline) {
    auto const seen = look(log, deadline);
    return {seen.front.floor, seen.front.cleared, seen.end.end, seen.end.last_created,
            seen.end.bytes - seen.front.floor_bytes};
}

}  // namespace minibatch::store::mongo
