#include "store/mongo/log/log_lookup.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "store/mongo/wire/commands.hpp"

namespace minibatch::store::mongo {
namespace {

/// How many numbers one question of a search asks for.
constexpr std::int64_t fan_out = 62;

failure lost(log_id) { return {severity::refused, errc::stream_deleted, "the stream was deleted", 0, false, false}; }

/// The neighbours of a number, then numbers ever farther ahead.
std::vector<std::int64_t> ahead_of(std::int64_t from) {
    std::vector<std::int64_t> out;
    for (auto number = std::max<std::int64_t>(from - 1, 0); number < from + 8; ++number) out.push_back(number);
    for (std::int64_t step = 16; from + step <= max_records; step *= 2) out.push_back(from + step - 1);
    return out;
}

/// Numbers in [from, to), evenly: all if there are few, else as many as one question may ask for.
std::vector<std::int64_t> spread(std::int64_t from, std::int64_t to) {
    std::vector<std::int64_t> out;
    auto const count = std::min(fan_out, to - from);
    for (std::int64_t i = 0; i < count; ++i) out.push_back(from + (to - from) * i / count);
    return out;
}

}  // namespace

bson::document log_lookup::find_by_key(log_id log, std::vector<std::int64_t> const& numbers, bool with_messages,
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

std::optional<log_lookup::probed> log_lookup::probe(log_id log, std::vector<std::int64_t> const& numbers,
                                                    std::optional<cluster_time> after, steady_time deadline,
                                                    failure* why) try {
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
    // Damaged documents. The caller may have a more important error to report.
    *why = {severity::refused, static_cast<errc>(problem.code().value()), problem.what(), 0, false, false};
    return std::nullopt;
}

std::optional<log_lookup::found_end> log_lookup::find_end(log_id log, std::int64_t from,
                                                          std::optional<cluster_time> after, steady_time deadline,
                                                          failure* why) {
    auto const began_at = from;
    auto const sent = time().steady_now();
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
            // Below the floor are the last record of a cleared log, and what a late insert may have left.
            if (each.number >= floor - 1 && (!last || each.number > last->number)) last = each;
        }
        if (last) {
            for (auto const number : numbers)
                if (number > last->number) missing = std::min(missing, number);
            if (missing == last->number + 1 || last->deleted) {
                found_end out{*found->front, end_after(*last, sent), std::move(batch_at)};
                views_.note_end(*views_.of(log), out.end, found->told);
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

std::vector<std::optional<log_position>> log_lookup::ends(std::span<log_id const> asked,
                                                          std::optional<cluster_time> after, steady_time deadline) {
    constexpr std::size_t at_once = 500;
    std::vector<std::optional<log_position>> out(asked.size());
    for (std::size_t begin = 0; begin < asked.size(); begin += at_once) {
        auto const part = asked.subspan(begin, std::min(at_once, asked.size() - begin));
        std::vector<std::optional<log_end>> known;
        for (auto const& log : part) known.push_back(views_.known_end(log));
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
            // It is not there and was not removed.
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

log_lookup::overview log_lookup::look(log_id log, steady_time deadline, std::optional<cluster_time> after) {
    auto const known = views_.known_end(log);
    auto found = find_end(log, known ? known->end.number : 0, after, deadline, nullptr);
    return {std::move(found->front), std::move(found->end)};
}

std::int64_t log_lookup::locate(log_id log, std::int64_t offset, steady_time deadline) {
    for (int tries = 1;; ++tries) {
        auto const seen = look(log, deadline);
        if (offset < seen.front.floor.offset) return seen.front.floor.number;
        if (offset >= seen.end.end.offset) return seen.end.end.number;
        // The first record that ends beyond the offset lies in [low, high].
        auto low = seen.front.floor.number;
        auto high = seen.end.end.number - 1;
        bool missing = false;
        while (low < high && !missing) {
            auto const found = headers(log, spread(low, high), deadline);
            missing = found.empty();
            for (auto const& each : found) {
                if (each.end().offset > offset) {
                    high = each.number;
                    break;
                }
                low = each.number + 1;
            }
        }
        if (!missing) return low;
        check_missing(log, low, seen.end.end.number - 1, deadline);
        if (!pause_before_retry(tries, deadline))  // it was trimmed meanwhile
            throw error(errc::unavailable, "log '" + head_key(log) + "' changes faster than it can be read");
    }
}

head log_lookup::read_head(log_id log, steady_time deadline) {
    auto found = probe(log, {}, std::nullopt, deadline, nullptr);
    if (!found->front) throw error(errc::stream_deleted, "the stream was deleted");
    return std::move(*found->front);
}

std::int64_t log_lookup::lowest(log_id log, std::int64_t below, steady_time deadline) {
    std::vector<std::int64_t> numbers;
    for (std::int64_t step = 1; step <= below; step *= 2) numbers.push_back(below - step);
    auto const found = headers(log, numbers, deadline);
    if (found.empty()) return below;
    return std::max<std::int64_t>(0, below - 2 * (below - found.front().number));
}

std::vector<record_header> log_lookup::headers(log_id log, std::span<std::int64_t const> numbers,
                                               steady_time deadline) {
    return probe(log, {numbers.begin(), numbers.end()}, std::nullopt, deadline, nullptr)->found;
}

void log_lookup::check_missing(log_id log, std::int64_t number, std::int64_t later, steady_time deadline) {
    if (later <= number) return;
    // In one answer: the head is read first, and the floor is moved long before a record below it is removed.
    auto const found = probe(log, {number, later}, std::nullopt, deadline, nullptr);
    if (!found->front || found->front->floor.number > number) return;
    if (found->found.size() == 1 && found->found.front().number == later)
        throw error(errc::corrupt, "record '" + record_key(log, number) + "' is missing, and a later one is there");
}

std::optional<record_header> log_lookup::header(log_id log, std::int64_t number, steady_time deadline) {
    auto const found = headers(log, {&number, 1}, deadline);
    if (found.empty()) return std::nullopt;
    return found.front();
}

log_state log_lookup::state(log_id log, steady_time deadline) {
    auto const seen = look(log, deadline);
    return {seen.front.floor, seen.front.cleared, seen.end.end, seen.end.last_created,
            seen.end.bytes - seen.front.floor_bytes};
}

}  // namespace minibatch::store::mongo
