#pragma once

#include <map>
#include <memory>

#include "runtime/coroutine.hpp"
#include "runtime/engine.hpp"
#include "runtime/group_member.hpp"
#include "runtime/lease_watch.hpp"
#include "windowing/demand.hpp"
#include "windowing/pending_log.hpp"
#include "windowing/planner.hpp"
#include "windowing/progress_tracker.hpp"

namespace minibatch::runtime {

/// Works one partition for a group: waits for the lease, then reads the log, makes windows by the strategy, hands them
/// to the group member, and stores the progress, until it is stopped or has lost the lease. All on the loop.
class partition_worker : public change_listener,
                         public lease_holder,
                         public std::enable_shared_from_this<partition_worker> {
  public:
    partition_worker(std::shared_ptr<group_member> member, store::group_id group);
    ~partition_worker();

    void start();
    /// The member has been stopped.
    void stop();

    /// Whether the lease still counts, so that a window may be handed out.
    bool may_deliver() const;
    int attempt(window_record const& window) const;

    /// `delivery` is the one in which the caller got the window. `done` is called on the loop.
    void commit(window_ptr const& window, int delivery, detail::callback<> done);
    void fail(window_ptr const& window, int delivery, std::string const& reason, std::optional<milliseconds> delay,
              detail::callback<> done);
    /// The caller has let go of a window without resolving it. Not looked at: it was never delivered.
    void returned(window_ptr const& window, int delivery, bool looked_at);

    // change_listener, lease_holder
    store::group_id const& watched() const override { return group_; }
    bool concerned() override;
    void changed(std::optional<store::log_position> end, std::optional<store::lease> held) override;
    void store_failed() override;
    std::optional<store::renew_request> renewal() const override;
    void renewed(std::int64_t epoch, store::write_result const& outcome, steady_time sent) override;

  private:
    /// All that exists only while the lease is held.
    struct leadership;
    using save_done = detail::callback<>;

    asio::awaitable<void> run();
    asio::awaitable<bool> acquire();
    asio::awaitable<void> stand_by(store::lease held);
    asio::awaitable<void> lead();
    asio::awaitable<bool> plan(std::optional<steady_time>& look_again);
    asio::awaitable<bool> fetch_if_worth(windowing::moment now, std::optional<steady_time>& look_again);
    asio::awaitable<void> fetch();
    asio::awaitable<void> emit(windowing::cut made);
    asio::awaitable<void> saved();
    asio::awaitable<void> drain_remainder();
    asio::awaitable<void> release();
    asio::awaitable<void> give_back();
    asio::awaitable<void> back_off(error const& problem);

    windowing::moment now() const;
    windowing::demand demand(windowing::moment now) const;
    store::read_limits what_to_read(windowing::moment now) const;
    bool feed_from_memory();
    void appended_here(std::optional<store::log_position> end);
    void look_at(windowing::wait_until wait, windowing::moment now, std::optional<steady_time>& look_again) const;
    void warn_of_standing_still(windowing::wait_until wait, windowing::moment now);
    void feed(std::vector<log::segment_ptr> const& records);
    void step_over_removed(store::read_result const& read);
    void redeliver_due(std::optional<steady_time>& look_again);
    void postpone(window_ptr const& window, std::optional<milliseconds> delay);
    void close(window_ptr const& window);
    static void answer(window_record& window, std::optional<error> const& problem);
    bool in_use() const;
    void save();
    void save_finished(std::optional<error> problem, std::int64_t low_number, std::vector<window_ptr> const& covered,
                       std::vector<save_done> waiters);
    using write_list = std::vector<std::pair<store::write_request, write_queue::write_done>>;
    store::trim_request trim_request() const;
    void trim_what_is_due(std::int64_t low_number, write_list& with);
    void trim(write_list& with);
    void trim_alone();
    void lose(std::string_view why);
    /// A warning that names the group, the stream and the partition.
    void say(std::string const& what) const;

    std::shared_ptr<group_member> member_;
    engine& runtime_;
    environment const& env_;
    store::tuning const tuning_;
    store::group_id group_;
    wake_signal signal_;
    patience patience_;
    std::unique_ptr<leadership> lead_;
    std::string acquisition_;  // the same while nobody else has taken over, so that our own lease does not stop us
    std::optional<lease_watch> other_;  // while another consumer holds the lease
    bool ask_for_lease_ = false;        // it may be free
    int outages_ = 0;                   // in a row
};

/// Errors after which trying again is of no use.
bool lasting(error const& problem);

}  // namespace minibatch::runtime
