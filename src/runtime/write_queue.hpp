#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/arrival_wait.hpp"
#include "runtime/batch_names.hpp"
#include "runtime/deadline_watch.hpp"
#include "runtime/lane_key.hpp"
#include "runtime/pending_budget.hpp"
#include "runtime/queued_write.hpp"
#include "runtime/scheduler.hpp"
#include "runtime/tail.hpp"
#include "runtime/write_lane.hpp"

namespace minibatch::runtime {

/// Group commit: writes that wait at the same moment go to the store together, and appends to one log become one
/// segment. Writes that wait for one another by the store's `write_scope` form a lane. Each lane that writes occupies
/// one worker.
///
/// Thread-safe. Completions run on a worker thread and must be short.
class write_queue : public std::enable_shared_from_this<write_queue> {
  public:
    using append_done = runtime::append_done;
    using write_done = runtime::write_done;
    using ticket = append_ticket;
    static constexpr ticket no_ticket = 0;

    write_queue(environment const& env, tail& newest, std::size_t max_pending_bytes);

    /// Queues documents that stay together. Beyond the limit of pending bytes they wait for room, in order. An append
    /// that was not handed to the store within the time limit fails with errc::timeout. Only an append with a ticket of
    /// its own can be cancelled.
    void append(store::log_id log, log::segment_text documents, append_done done, ticket which = no_ticket);
    /// Identifies an append, so that its cancellation can be set up before it begins.
    ticket new_ticket() noexcept { return next_ticket_++; }
    /// Removes a queued append; its completion is destroyed without being called. False: it was handed to the store, or
    /// is done.
    bool cancel(ticket which);

    void submit(store::write_request request, write_done done);
    /// Queues several writes before the first is started, so that they share one call to the store.
    void submit_all(std::vector<std::pair<store::write_request, write_done>>&& requests);

    /// Called on a worker thread after a write that left the store with housekeeping to do. Set before first use.
    void on_maintenance_due(std::function<void()> call) { maintenance_due_ = std::move(call); }

    /// Refuses new appends with errc::closed. What is queued is still written.
    void close();
    /// Whether appends or commits are queued or being written. Other writes need not be waited for: a lease that is not
    /// released expires, and what is not removed now is removed later.
    bool owes() const;
    /// The number of lanes that write, plus one at most that is at rest.
    std::size_t lanes() const;

  private:
    using lane_map = std::map<lane_key, write_lane>;

    write_lane& lane(lane_key const& key);
    void enqueue(queued_append&& item);
    void admit_waiting();
    void run(lane_key const& key, write_lane& of);
    void prepare_ahead(lane_key const& key, write_lane& of);
    void forget_if_at_rest(lane_map::iterator of);
    void write_next(lane_key const& key);
    bool more_to_write(lane_key const& key);
    void prepare_next(lane_key const& key);
    std::optional<queued_append> take_back(ticket which);
    void fail_expired();

    environment const env_;
    tail& newest_;
    store::tuning const tuning_;
    std::function<void()> maintenance_due_;
    batch_names names_;
    std::atomic<ticket> next_ticket_ = 1;

    mutable std::mutex mutex_;
    lane_map lanes_;
    pending_budget budget_;
    arrival_wait next_arrival_;
    std::optional<deadline_watch> deadlines_;  // made with the first append
    bool closed_ = false;
};

}  // namespace minibatch::runtime
