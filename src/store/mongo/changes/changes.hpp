#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <thread>

#include "store/mongo/groups/lease_table.hpp"
#include "store/notifier.hpp"
#include "store/time_limit.hpp"

namespace minibatch::store::mongo {

/// The one change stream of a database handle, with a thread that waits for it. It reports changes of logs and leases
/// and wakes the listeners; it carries no data. On a server without change streams the thread wakes the listeners
/// periodically.
///
/// Thread-safe.
class changes {
  public:
    changes(log_lookup& logs, lease_table& leases, std::shared_ptr<notifier> listeners, bool streams, log_callback log);
    /// Ends the thread, within about a twentieth of a second.
    ~changes();
    changes(changes const&) = delete;
    changes& operator=(changes const&) = delete;

    /// Starts the thread. Further calls do nothing.
    void start();

    /// As `store::inspect`. While the change stream is open, the server is not asked for what it has reported.
    inspection inspect(std::span<log_id const> asked, std::span<group_id const> asked_groups, steady_time deadline);

  private:
    /// What the thread runs: no exception leaves it.
    void run_safely() noexcept;
    void run();
    /// Runs until the stream ends. Throws the reason.
    void follow();
    bson::document open(std::function<bson::document(bson::document const&)> const& ask);
    void poll();
    bool take(bson::fields const& event);
    /// Forgets what was known: it may be out of date.
    void doubt();
    void say(log_level level, std::string const& text) const;
    bool wait(milliseconds duration);
    bool stopping() const { return end_.load() != steady_time::max(); }

    client_pool& clients_;
    log_lookup& logs_;
    lease_table& lease_table_;
    std::shared_ptr<notifier> listeners_;
    bool const streams_;
    log_callback log_;

    time_limit::movable end_ = steady_time::max();  // of the thread
    std::mutex mutex_;
    std::condition_variable stopped_;
    bool started_ = false;
    bool current_ = false;  // the change stream is open
    std::uint64_t doubts_ = 0;
    std::optional<cluster_time> since_;                // where the change stream has begun
    std::map<group_id, std::optional<lease>> leases_;  // as last seen; no entry: to be asked for
    std::map<log_id, bool> seen_;                      // logs whose end has been asked for since the last doubt
    bool answered_ = false;                            // since it was opened. Used by the thread alone.
    bson::document token_;                             // where to resume; empty: nowhere. Used by the thread alone.
    std::thread thread_;
};

}  // namespace minibatch::store::mongo
