#include "runtime/log_reader.hpp"

#include <algorithm>

#include "store/validation.hpp"

namespace minibatch::runtime {
namespace {

constexpr std::int64_t max_records_at_once = 1 << 17;
constexpr milliseconds lag_pause{10};

}  // namespace

asio::awaitable<bool> log_reader::read_if_worth(windowing::read_requirement required) {
    if (feed_from_memory()) co_return true;
    if (required.missing && !end_unknown_) {
        auto const unread = known_end_.offset - pending_.fed_end();
        if (unread <= 0) {  // there are at most control records, which close no window of such a strategy
            pending_.set_caught_up(true);
            co_return true;
        }
        if (unread < required.worth) {
            put_off_ = true;
            co_return false;
        }
    }
    co_await read(required);
    co_return true;
}

asio::awaitable<void> log_reader::read(windowing::read_requirement required) {
    if (feed_from_memory()) co_return;
    if (!end_unknown_ && known_end_.number <= pending_.next_number()) {
        pending_.set_caught_up(true);
        co_return;
    }
    auto const doubts = doubts_of_end_;
    auto const sent = now().steady;
    auto const found = co_await read_store(required);
    pending_.records_removed(found.state.floor.number);
    step_over_removed(found);
    feed(found.records);
    newest_created_ = std::max(newest_created_, found.state.last_created);
    bound_ = {found.state.end.number, sent};
    learn_end(found.state.end);
    if (doubts == doubts_of_end_) end_unknown_ = false;
    if (known_end_.number > pending_.next_number()) {
        // The store has shown more before, by another way: it is not asked over and over.
        if (found.records.empty()) {
            auto const until = context_.env.time->now() + lag_pause;
            co_await context_.wake.wait(context_.env, until);
        }
    } else if (!end_unknown_) {
        pending_.set_caught_up(true);
    }
}

asio::awaitable<store::read_result> log_reader::read_store(windowing::read_requirement const& required) {
    auto const& env = context_.env;
    auto const next = pending_.next_number();
    auto call = [database = env.database, log = context_.group.log, next, limits = limits_for(required),
                 deadline = env.deadline()] { return database->read(log, next, limits, deadline); };
    reading_ = true;
    std::exception_ptr problem;
    store::read_result found;
    try {
        found = co_await on_worker(env, context_.budget, std::move(call));
    } catch (...) {
        problem = std::current_exception();
    }
    reading_ = false;
    if (problem) std::rethrow_exception(problem);
    if (auto const defect = store::validation::defect_of(found.records, found.state, next))
        throw error(errc::corrupt,
                    store::validation::partition_name(context_.member.stream.name, context_.group.log.partition) +
                        ": " + *defect);
    co_return found;
}

/// A large window is read in few calls. What goes beyond the window is bounded, however large the backlog.
store::read_limits log_reader::limits_for(windowing::read_requirement const& required) const {
    auto const& tuning = context_.tuning;
    store::read_limits limits;
    limits.max_bytes = tuning.read_ahead_bytes;
    auto const missing = std::clamp<std::int64_t>(required.missing.value_or(0), 0, std::int64_t{1} << 30);
    // An eighth more, since messages are not all of a size.
    auto const bytes = static_cast<std::size_t>(missing * message_bytes_ / 8 * 9);
    if (bytes > limits.max_bytes) limits.max_bytes = std::max(limits.max_bytes, std::min(bytes, tuning.max_read_bytes));
    limits.max_records = static_cast<int>(std::clamp<std::int64_t>(missing, limits.max_records, max_records_at_once));
    return limits;
}

/// What this process has appended is known without asking the store.
bool log_reader::feed_from_memory() {
    auto const here =
        context_.runtime.newest.from(context_.group.log, pending_.next_number(), context_.tuning.read_ahead_bytes);
    feed(here);
    return !here.empty();
}

void log_reader::feed(std::vector<log::segment_ptr> const& records) {
    if (records.empty()) return;
    std::int64_t messages = 0;
    std::int64_t bytes = 0;
    auto const present = now();
    for (auto const& record : records) {
        tracker_.note_record(*record);
        newest_created_ = std::max(newest_created_, record->created());
        auto const after = bound_ && record->number() >= bound_->number ? std::optional(bound_->steady) : std::nullopt;
        pending_.feed(record, windowing::arrival(record->created(), present, after));
        messages += record->count();
        bytes += static_cast<std::int64_t>(record->bytes());
    }
    if (messages > 0) message_bytes_ = bytes / messages + 1;
}

void log_reader::step_over_removed(store::read_result const& read) {
    auto const& state = read.state;
    if (state.floor.offset <= tracker_.low()) return;
    auto const lost = tracker_.retention_floor(state.floor.offset, state.floor.number, state.cleared);
    auto const until = read.records.empty() ? state.last_created : read.records.front()->created();
    removed_(pending_.drop_below(state.floor.offset, until), lost);
}

void log_reader::learn_end(store::log_position end) {
    known_end_ = std::max(known_end_, end);
    if (known_end_.number > pending_.next_number()) pending_.set_caught_up(false);
}

void log_reader::doubt_end() {
    end_unknown_ = true;
    ++doubts_of_end_;
    pending_.set_caught_up(false);
}

bool log_reader::inspected(std::optional<store::log_position> end) {
    if (!end) {
        doubt_end();  // a deleted stream is reported by the read that follows
        return true;
    }
    if (end->number <= pending_.next_number()) return false;
    learn_end(*end);
    return true;
}

bool log_reader::wants_inspection(windowing::read_requirement const& required) {
    if (reading_) return true;
    if (end_unknown_) return false;
    auto const will_read = required.missing ? known_end_.offset - pending_.fed_end() >= required.worth
                                            : known_end_.number > pending_.next_number();
    // It may turn out to be served from memory: what is not looked into now must not be forgotten.
    if (will_read) doubt_end();
    return !will_read;
}

}  // namespace minibatch::runtime
