#include <algorithm>

#include "runtime/leadership.hpp"

/// The part of a partition worker that reads the log, as late as it can where each read is a round trip.
///
/// How far the log goes is known from reads, from inspections after signals, and from the appends of this process;
/// `known_end` is the furthest of these, so that their order does not matter. While it shows that no window can close,
/// nothing is read. That must not starve a consumer because a signal was lost on the way:
/// - an append of this process whose outcome is not known, and a deleted stream, leave no end to go by: `end_unknown`
///   forces a read;
/// - a signal that is not looked into, because a read is to come anyway, does the same (`concerned`);
/// - one that comes during a read is looked into: the read may be older;
/// - an inspection that fails is repeated by the engine;
/// - an inspection that shows less than there was, or a signal that never came, is made good by the next signal, by the
///   next append of this process, and at the latest with the next renewal, after which a worker that knows of unread
///   messages has the engine look again.
/// One that knows of none has read to the end, and is woken by the signal that the store owes it.
namespace minibatch::runtime {
namespace {

constexpr std::int64_t max_records_at_once = 1 << 17;
constexpr milliseconds lag_pause{10};

}  // namespace

windowing::demand partition_worker::demand(windowing::moment now) const {
    return windowing::demand_of(member_->how.parts(), lead_->pending, now);
}

/// False: nothing is worth reading before a signal, or before `look_again`.
asio::awaitable<bool> partition_worker::fetch_if_worth(windowing::moment now, std::optional<steady_time>& look_again) {
    auto& lead = *lead_;
    if (feed_from_memory()) co_return true;
    auto const asked = demand(now);
    if (asked.missing && !lead.end_unknown) {
        auto const unread = lead.known_end.offset - lead.pending.fed_end();
        if (unread <= 0) {  // there are at most control records, which close no window of such a strategy
            lead.pending.set_caught_up(true);
            co_return true;
        }
        if (unread < asked.worth) {
            lead.put_off = true;
            look_at({asked.due}, now, look_again);
            co_return false;
        }
    }
    co_await fetch();
    co_return true;
}

/// Reads on, from memory or from the store, or finds that there is no more.
asio::awaitable<void> partition_worker::fetch() {
    auto& lead = *lead_;
    if (feed_from_memory()) co_return;
    auto const next = lead.pending.next_number();
    if (!lead.end_unknown && lead.known_end.number <= next) {
        lead.pending.set_caught_up(true);
        co_return;
    }
    auto const doubts = lead.doubts_of_end;
    auto const limits = what_to_read(now());
    auto const sent = now().steady;
    auto call = [database = env_.database, log = group_.log, next, limits, deadline = env_.deadline()] {
        return database->read(log, next, limits, deadline);
    };
    lead.reading = true;
    std::optional<store::read_result> read;
    try {
        read = co_await on_worker(env_, patience_, std::move(call));
    } catch (...) {
        lead.reading = false;
        throw;
    }
    lead.reading = false;
    lead.pending.records_removed(read->state.floor.number);
    step_over_removed(*read);
    feed(read->records);
    lead.newest_created = std::max(lead.newest_created, read->state.last_created);
    lead.bound = {read->state.end.number, sent};
    lead.learn_end(read->state.end);
    if (doubts == lead.doubts_of_end) lead.end_unknown = false;
    if (lead.known_end.number > lead.pending.next_number()) {
        // The store has shown more before, by another way: it is not asked over and over.
        if (read->records.empty()) {
            auto const until = env_.time->now() + lag_pause;
            co_await signal_.wait(env_, until);
        }
    } else if (!lead.end_unknown) {
        lead.pending.set_caught_up(true);
    }
}

/// A large window is read in few calls. What goes beyond the window is bounded, however large the backlog.
store::read_limits partition_worker::what_to_read(windowing::moment now) const {
    store::read_limits limits;
    limits.max_bytes = tuning_.read_ahead_bytes;
    auto const missing = std::clamp<std::int64_t>(demand(now).missing.value_or(0), 0, std::int64_t{1} << 30);
    // An eighth more, since messages are not all of a size.
    auto const bytes = static_cast<std::size_t>(missing * lead_->message_bytes / 8 * 9);
    if (bytes > limits.max_bytes)
        limits.max_bytes = std::max(limits.max_bytes, std::min(bytes, tuning_.max_read_bytes));
    limits.max_records = static_cast<int>(std::clamp<std::int64_t>(missing, limits.max_records, max_records_at_once));
    return limits;
}

/// What this process has appended is known without asking the store.
bool partition_worker::feed_from_memory() {
    auto const next = lead_->pending.next_number();
    auto const here = runtime_.newest.from(group_.log, next, tuning_.read_ahead_bytes);
    feed(here);
    return !here.empty();
}

void partition_worker::feed(std::vector<log::segment_ptr> const& records) {
    if (records.empty()) return;
    std::int64_t messages = 0;
    std::int64_t bytes = 0;
    auto const& bound = lead_->bound;
    auto const present = now();
    for (auto const& record : records) {
        lead_->tracker.note_record(*record);
        lead_->newest_created = std::max(lead_->newest_created, record->created());
        auto const after = bound && record->number() >= bound->number ? std::optional(bound->steady) : std::nullopt;
        lead_->pending.feed(record, windowing::arrival(record->created(), present, after));
        messages += record->count();
        bytes += static_cast<std::int64_t>(record->bytes());
    }
    if (messages > 0) lead_->message_bytes = bytes / messages + 1;
}

void partition_worker::step_over_removed(store::read_result const& read) {
    auto& lead = *lead_;
    auto const& state = read.state;
    if (state.floor.offset <= lead.tracker.low()) return;
    auto const lost = lead.tracker.retention_floor(state.floor.offset, state.floor.number, state.cleared);
    auto const until = read.records.empty() ? state.last_created : read.records.front()->created();
    auto const times = lead.pending.drop_below(state.floor.offset, until);
    if (member_->how.parts().fixed) lead.tracker.times_removed(times);
    if (lost > 0) {
        env_.say(log_level::warning, std::to_string(lost) + " messages of stream '" + member_->stream.name +
                                         "' were removed by retention before group '" + group_.group +
                                         "' had committed them");
    }
    save();
}

void partition_worker::appended_here(std::optional<store::log_position> end) {
    if (end)
        lead_->learn_end(*end);
    else
        lead_->doubt_end();
    signal_.notify();
}

bool partition_worker::concerned() {
    if (!lead_) return true;
    auto& lead = *lead_;
    if (lead.lost) return false;
    if (lead.reading) return true;
    if (lead.end_unknown) return false;
    auto const asked = demand(now());
    auto const will_read = asked.missing ? lead.known_end.offset - lead.pending.fed_end() >= asked.worth
                                         : lead.known_end.number > lead.pending.next_number();
    // It may turn out to be served from memory: what is not looked into now must not be forgotten.
    if (will_read) lead.doubt_end();
    return !will_read;
}

void partition_worker::changed(std::optional<store::log_position> end, std::optional<store::lease> held) {
    if (!lead_) {
        // Appends and renewals do not make the lease free: asking again would cost a call each time. What comes before
        // the first answer is a reason to ask again, since the answer may be older.
        auto const& known = other_ ? other_->seen() : std::nullopt;
        if (known && held && held->epoch == known->epoch && held->acquisition == known->acquisition) {
            other_->see(*held, env_.time->now(), env_.database->now());
        } else {
            ask_for_lease_ = true;
            signal_.notify();
        }
        return;
    }
    auto& lead = *lead_;
    if (held && held->epoch > lead.epoch) lose("another consumer has taken over");
    if (!end) {
        lead.doubt_end();  // a deleted stream is reported by the read that follows
        signal_.notify();
    } else if (end->number > lead.pending.next_number()) {
        lead.learn_end(*end);
        signal_.notify();
    }
}

void partition_worker::store_failed() {
    ask_for_lease_ = true;
    if (lead_) lead_->doubt_end();
    signal_.notify();
}

}  // namespace minibatch::runtime
