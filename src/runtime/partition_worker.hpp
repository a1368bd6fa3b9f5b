#pragma once

#include <memory>
#include <string_view>

#include "runtime/partition_session.hpp"

namespace minibatch::runtime {

/// Works one partition for a group until it is stopped: waits for the lease, then makes windows, hands them to the
/// group member and stores the progress, for as long as it has the lease. All on the loop.
class partition_worker : public change_listener,
                         public lease_holder,
                         public std::enable_shared_from_this<partition_worker>,
                         private progress_saver::listener {
  public:
    partition_worker(std::shared_ptr<group_member> member, store::group_id group);
    ~partition_worker() override;

    void start();
    /// The member has been stopped.
    void stop();

    /// Whether the lease still counts, so that a window may be handed out.
    bool may_deliver() const;
    int attempt(window_record const& window) const;

    // What callers do with windows: see window_book.
    void commit(window_ptr const& window, int delivery, detail::callback<> done);
    void fail(window_ptr const& window, int delivery, std::string const& reason, std::optional<milliseconds> delay,
              detail::callback<> done);
    void returned(window_ptr const& window, int delivery, bool looked_at);

    // change_listener, lease_holder
    store::group_id const& watched() const override { return group_; }
    bool concerned() override;
    void changed(std::optional<store::log_position> end, std::optional<store::lease> held) override;
    void store_failed() override;
    std::optional<store::renew_request> renewal() const override;
    void renewed(std::int64_t epoch, store::write_result const& outcome, steady_time sent) override;

  private:
    // progress_saver::listener
    void fenced() override { lose("another consumer has taken over"); }
    std::vector<window_ptr> save_ended(std::vector<window_ptr> const& covered,
                                       std::optional<error> const& problem) override {
        return session_->windows.save_ended(covered, problem);
    }

    asio::awaitable<void> run();
    asio::awaitable<std::optional<error>> hold_lease_once();
    void begin_session(lease_applicant::grant const& granted);
    asio::awaitable<void> work();
    asio::awaitable<bool> work_once(std::optional<steady_time>& look_again);
    asio::awaitable<void> release();
    asio::awaitable<void> give_back();
    void lose(std::string_view why);

    std::shared_ptr<group_member> member_;
    store::group_id group_;
    store::tuning const tuning_;
    wake_signal signal_;
    wait_budget budget_;
    partition_context const context_;
    lease_applicant applicant_;
    outage_pause outage_;
    bool watching_ = false;
    std::unique_ptr<partition_session> session_;  // while the lease is held
};

}  // namespace minibatch::runtime
