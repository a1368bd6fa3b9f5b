#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "runtime/partition_context.hpp"
#include "windowing/pending_log.hpp"
#include "windowing/progress_tracker.hpp"
#include "windowing/read_requirement.hpp"

namespace minibatch::runtime {

/// Reads the log of one partition, as late as it can where each read is a round trip, and feeds what it reads to the
/// pending messages. On the loop alone.
///
/// How far the log goes is known from reads, from inspections after signals, and from the appends of this process; the
/// known end is the furthest of these, so that their order does not matter. While it shows that no window can close,
/// nothing is read. That must not starve a consumer because a signal was lost on the way:
/// - an append of this process whose outcome is not known, and a deleted stream, leave no end to go by: `doubt_end`
///   forces a read;
/// - a signal that is not looked into, because a read is to come anyway, does the same (`wants_inspection`);
/// - one that comes during a read is looked into: the read may be older;
/// - an inspection that fails is repeated by the engine;
/// - an inspection that shows less than there was, or a signal that never came, is made good by the next signal, by the
///   next append of this process, and at the latest with the next renewal, after which a worker that knows of unread
///   messages has the engine look again (`put_off`).
/// One that knows of none has read to the end; the next change notification wakes it.
class log_reader {
  public:
    /// Called when retention has removed messages that were not committed: the times of those that were in no window,
    /// and how many were lost.
    using removed_call = std::function<void(store::time_range times, std::int64_t lost)>;

    log_reader(partition_context const& context, windowing::pending_log& pending, windowing::progress_tracker& tracker,
               removed_call when_removed)
        : context_(context), pending_(pending), tracker_(tracker), removed_(std::move(when_removed)) {}

    /// The clocks, as strategies are told of them.
    windowing::moment now() const { return context_.runtime.clocks.now(newest_created_); }

    /// Reads if it is worth it. False: nothing is, before the worker is woken or before `required.due`.
    asio::awaitable<bool> read_if_worth(windowing::read_requirement required);
    /// Reads on, from memory or from the store, or finds that there is no more.
    asio::awaitable<void> read(windowing::read_requirement required);

    /// The log goes so far at least.
    void learn_end(store::log_position end);
    /// It may go further than is known: the next read must be from the store.
    void doubt_end();
    /// An inspection has shown the end, or that the stream was deleted. True: the worker has to look.
    bool inspected(std::optional<store::log_position> end);
    /// Whether it pays to inspect the log now. False: it will be read anyway, and the signal is not forgotten.
    bool wants_inspection(windowing::read_requirement const& required);
    /// Whether it waits for more, with messages known that were not read.
    bool put_off() const noexcept { return put_off_; }
    void look_again() noexcept { put_off_ = false; }

  private:
    store::read_limits limits_for(windowing::read_requirement const& required) const;
    bool feed_from_memory();
    void feed(std::vector<log::segment_ptr> const& records);
    void step_over_removed(store::read_result const& read);
    asio::awaitable<store::read_result> read_store(windowing::read_requirement const& required);

    /// At this time, by the steady clock, the log ended before this record.
    struct known_bound {
        std::int64_t number;
        time_ms steady;
    };

    partition_context const& context_;
    windowing::pending_log& pending_;
    windowing::progress_tracker& tracker_;
    removed_call removed_;

    store::log_position known_end_;   // the log goes so far at least
    bool end_unknown_ = true;         // it may go further: only a read tells
    std::int64_t doubts_of_end_ = 0;  // how many came, so that one that comes during a read is not overlooked
    bool reading_ = false;
    bool put_off_ = false;
    time_ms newest_created_ = 0;
    std::optional<known_bound> bound_;
    std::int64_t message_bytes_ = 0;  // of those read last, on average
};

}  // namespace minibatch::runtime
