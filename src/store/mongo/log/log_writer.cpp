#include "store/mongo/log/log_writer.hpp"

#include <algorithm>
#include <thread>

#include "store/mongo/log/batch_id.hpp"
#include "store/mongo/wire/jitter.hpp"
#include "store/rules.hpp"

namespace minibatch::store::mongo {
namespace {

using std::chrono::steady_clock;

// A process that appends continuously always knows the end first and would win every time. So writers take turns: after
// a while each leaves a gap that is long enough for a waiting writer to try, and waiting writers try often enough.
constexpr milliseconds turn{300};
/// The gap when no other writer was met recently.
constexpr milliseconds short_gap{1};
constexpr std::chrono::seconds met_recently{5};
/// A pause of this length between two records counts as a gap.
constexpr milliseconds idle{5};

/// A failed insert is as expensive as a successful one; reading the end is cheap. So waiting writers poll the end until
/// it has not moved for as long as an insert takes, at most so many times.
constexpr int most_questions = 10;
/// The longest wait after collisions, in multiples of the duration of a try.
constexpr int longest_wait = 3;

/// How long a waiting writer needs for a try, estimated from the last one.
milliseconds try_time(steady_clock::duration round_trip) {
    return std::clamp(std::chrono::ceil<milliseconds>(round_trip), milliseconds(1), milliseconds(20));
}

bool sleep_within(milliseconds delay, steady_time deadline) {
    if (steady_clock::now() + delay >= deadline) return false;
    std::this_thread::sleep_for(delay);
    return true;
}

/// Leaves a gap for other writers after each turn. A turn starts with the first record after a gap.
void take_turns(log_view& of, steady_time deadline) {
    auto const now = steady_clock::now();
    if (now - of.last_added > idle) of.turn_began = now;
    if (now - of.turn_began < turn) return;
    bool const met = now - of.met_others < met_recently;
    sleep_within(met ? 3 * try_time(of.round_trip) : short_gap, deadline);
    of.turn_began = steady_clock::now();
    if (met) of.adding.doubt_end();
}

}  // namespace

answer log_writer::insert(log_id log, placement const& where, new_record const& record, bson::document const* messages,
                          steady_time deadline, route& via) {
    auto const document =
        bson::make([&](bson::builder& out) { add_record(out, log, where, record, messages, record.deleted); });
    return lookup_.clients().insert(collection::segments, *document, deadline, via);
}

append_result log_writer::add(log_id log, log_view& of, new_record const& record, bson::document const* messages,
                              char const* operation, steady_time deadline, log_position* end) {
    auto& adding = of.adding;
    {
        std::lock_guard const lock(of.mutex);
        if (of.newest && of.newest->learned != steady_time{}) adding.note_end(*of.newest);
    }
    take_turns(of, deadline);
    failure why{severity::not_done, errc::unavailable, "no time left", 0, false, false};
    std::optional<cluster_time> answered_at;  // the last insertion was
    std::optional<cluster_time> stored_at;    // the same, if it has succeeded
    int collisions = 0;                       // after the first
    auto next = adding.begin(record, lookup_.time().steady_now(), lookup_.time().now());
    auto const failed_step = [&] { return adding.not_done(why, steady_clock::now() >= deadline); };
    for (;;) {
        if (auto const* learn = std::get_if<appender::learn>(&next)) {
            auto const after = learn->after_duplicate ? answered_at : std::nullopt;
            auto found = lookup_.find_end(log, learn->from, after, deadline, &why);
            for (int asked = 1; found && collisions > 0 && asked < most_questions; ++asked) {
                auto const before = found->end.end.number;
                if (!sleep_within(try_time(of.round_trip) * 3 / 2, deadline)) break;
                found = lookup_.find_end(log, learn->from, after, deadline, &why);
                if (found && found->end.end.number == before) break;
            }
            next = found ? adding.learned(found->end, found->front.floor.number, found->batch_at, lookup_.time().now())
                         : failed_step();
        } else if (auto const* at = std::get_if<appender::insert>(&next)) {
            if (at->where.number >= max_records)
                throw error(errc::storage_full, "log " + head_key(log) + " has had all the records it can have");
            auto const sent = steady_clock::now();
            adding.sending(lookup_.time().steady_now());
            route via;
            auto const got = insert(log, at->where, record, messages, deadline, via);
            of.round_trip = steady_clock::now() - sent;
            answered_at = operation_time(got.body);
            if (!got.problem) {
                // Before the change stream reports it: it is no news for this handle. Whether it counts is still open.
                auto const where = at->where;
                lookup_.views().note_end(of,
                                         end_after({where.number, where.first, record.count, where.created,
                                                    where.bytes_before, record.bytes, record.batch, record.deleted},
                                                   steady_time{}),
                                         std::nullopt);
                {
                    std::lock_guard const lock(of.mutex);
                    of.told = std::max(of.told, where.number + 1);
                }
                // If the driver has tried twice, only the time of the second try is known; the first may have stored
                // it.
                stored_at = answered_at;
                auto const told =
                    lookup_.clients().how().retry_writes ? std::nullopt : lookup_.views().moment_of(answered_at).server;
                next = adding.inserted({told, via});
            } else if (got.problem->server_code == duplicate_key) {
                of.met_others = steady_clock::now();
                next = adding.duplicate();
            } else {
                why = *got.problem;
                next = failed_step();
            }
        } else if (std::holds_alternative<appender::confirm>(next)) {
            auto const found = lookup_.probe(log, {}, answered_at, deadline, &why);
            if (found)
                next = adding.floor_read(found->front ? std::optional(found->front->floor.number) : std::nullopt);
            else
                next = failed_step();
        } else if (auto const* pause = std::get_if<appender::pause>(&next)) {
            auto const one = try_time(of.round_trip);
            collisions = pause->collisions;
            bool const in_time =
                pause->collisions > 0
                    ? sleep_within(at_random(one / 2, one * 3 / 2) * std::min(pause->collisions, longest_wait),
                                   deadline)
                    : pause_before_retry(pause->tries, deadline);
            if (!in_time && pause->collisions > 0) why.text = "others appended first, again and again";
            next = in_time ? adding.paused() : adding.not_done(why, true);
        } else if (auto const* done = std::get_if<appender::done>(&next)) {
            if (adding.end()) lookup_.views().note_end(of, *adding.end(), stored_at);
            of.last_added = steady_clock::now();
            if (end) *end = done->end;
            return done->stored;
        } else {
            auto const& failed = std::get<appender::failed>(next);
            if (failed.code == errc::stream_deleted) throw error(errc::stream_deleted, failed.text);
            why.text = failed.text;
            auto out = lookup_.clients().problem(operation, command_kind::write, why, false);
            throw error(failed.code, out.diagnostics());
        }
    }
}

append_result log_writer::append(append_request& request, steady_time deadline) {
    rules::check_append(request);
    auto const of = lookup_.views().of(request.log);
    new_record record;
    record.batch = stored_batch(request.batch.empty() ? random_id() : request.batch, *request.text);
    record.count = request.count;
    record.bytes = static_cast<std::int64_t>(request.text->size());
    // Encoded once for all tries.
    if (!request.prepared)
        request.prepared = std::make_shared<bson::document const>(make_messages(*request.text, request.count));
    auto const messages = std::static_pointer_cast<bson::document const>(request.prepared);
    return add(request.log, *of, record, messages.get(), "append", deadline);
}

seal_result log_writer::seal(seal_request const& request, steady_time deadline) {
    auto const of = lookup_.views().of(request.log);
    // A time in the future is refused, unless the log has already reached it.
    if (auto const now = lookup_.time().now(); request.until > now)
        rules::seal_needed(request, lookup_.look(request.log, deadline).end.last_created, now);
    new_record record;
    record.batch = stored_batch(random_id(), "seal " + std::to_string(request.until));
    record.until = request.until;
    seal_result out;
    add(request.log, *of, record, nullptr, "seal", deadline, &out.end);
    return out;
}

void log_writer::append_tombstone(log_id log, steady_time deadline) {
    auto const of = lookup_.views().of(log);
    new_record record;
    record.batch = stored_batch(random_id(), "deleted");
    record.until = std::numeric_limits<time_ms>::max();
    record.deleted = true;
    try {
        add(log, *of, record, nullptr, "delete stream", deadline);
    } catch (error const& problem) {
        if (problem.code() != errc::stream_deleted) throw;
    }
}

}  // namespace minibatch::store::mongo
