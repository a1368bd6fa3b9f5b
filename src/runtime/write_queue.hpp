#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <mutex>

#include "runtime/operation.hpp"
#include "runtime/scheduler.hpp"
#include "runtime/tail.hpp"

namespace minibatch::runtime {

/// Group commit: what waits to be written at the same moment goes to the store together, and the appends of one log
/// become one segment. What waits for one another by the store's `write_scope` is a lane: one write of it is under way,
/// and what arrives meanwhile waits for the next. Each write that is under way keeps one worker busy.
///
/// Thread-safe. Completions run on a worker thread, and must be short.
class write_queue : public std::enable_shared_from_this<write_queue> {
  public:
    /// When it failed, `unwritten` are the documents, as they stand in a segment (see log::split); only during the
    /// call.
    using append_done =
        detail::any_handler<void(std::optional<error>, std::int64_t first_offset, std::string_view unwritten)>;
    using write_done = detail::any_handler<void(store::write_result)>;
    using ticket = std::uint64_t;
    static constexpr ticket no_ticket = 0;

    write_queue(environment const& env, tail& newest, std::size_t max_pending_bytes);

    /// Queues documents that stay together. Beyond the limit of pending bytes they wait for room, in order; what has
    /// not been handed over within the time-out is given up with errc::timeout. Only with a ticket of its own can an
    /// append be taken back.
    void append(store::log_id log, log::segment_text documents, append_done done, ticket which = no_ticket);
    /// Names an append, so that its cancellation can be set up before it begins.
    ticket new_ticket() noexcept { return next_ticket_++; }
    /// Takes an append back, whose completion is then dropped. False: it has been handed to the store, or is done.
    bool cancel(ticket which);

    void submit(store::write_request request, write_done done);
    void submit_all(std::vector<std::pair<store::write_request, write_done>>&& requests);

    /// Called, on a worker thread, after a write that has left the store with housekeeping to do. Set before first use.
    void on_maintenance_due(std::function<void()> call) { maintenance_due_ = std::move(call); }

    /// Refuses new work with errc::closed. What is queued is still written.
    void close();
    /// Whether appends or commits are queued or being written. The rest is nobody's loss: a lease that is not given
    /// back runs out, and what is not removed now is removed later.
    bool owes() const;
    /// How many lanes there are: those that are at work, and perhaps one that rests.
    std::size_t lanes() const;

  private:
    struct waiting_append {
        ticket id;
        store::log_id log;
        log::segment_text documents;
        append_done done;
        steady_time deadline;
        std::size_t bytes;
    };
    struct waiting_write {
        store::write_request request;
        write_done done;
    };
    /// Names a lane. The common one has all writes, or, with finer scopes, all renewals.
    struct lane_key {
        enum class kind { common, log, group, trims };
        kind what = kind::common;
        store::log_id log;
        std::string group;
        friend auto operator<=>(lane_key const&, lane_key const&) = default;
    };
    struct batch;
    struct lane {
        bool writing = false;
        bool owed = false;  // what is being written, see `owes`
        bool preparing = false;
        std::shared_ptr<batch> ready;  // prepared; the next to be written
        std::deque<waiting_append> appends;
        std::size_t bytes = 0;  // of `appends`
        std::deque<waiting_write> writes;
        bool resting() const noexcept { return appends.empty() && writes.empty() && !preparing && !ready; }
    };

    lane_key lane_of_appends(store::log_id log) const;
    lane_key lane_of(store::write_request const& request) const;
    void start(lane_key const& key, lane& of);
    void work(lane_key const& key);
    void prepare_next(lane_key const& key, lane& of);
    void prepare(lane_key const& key);
    void rest(lane_key const& key);
    bool take(lane& from, batch& into);
    static void finish(batch& items);
    void write(batch& items);
    void admit();
    void watch_deadlines(steady_time first);
    void expire();

    environment env_;
    tail& newest_;
    std::size_t const max_pending_bytes_;
    bool const one_lane_;
    std::size_t const full_segment_bytes_;
    bool const prepares_;
    std::string const batch_prefix_;
    std::function<void()> maintenance_due_;
    std::atomic<ticket> next_ticket_ = 1;

    mutable std::mutex mutex_;
    std::map<lane_key, lane> lanes_;
    std::deque<waiting_append> blocked_;
    std::size_t pending_bytes_ = 0;
    std::uint64_t next_batch_ = 0;
    bool closed_ = false;
    std::unique_ptr<timer> watchdog_;
};

}  // namespace minibatch::runtime
