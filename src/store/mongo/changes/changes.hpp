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

/// What has become of logs and leases, and when to look: the one change stream of a database handle, with a thread that
/// waits for it. It carries wake-ups, not data. On a server that has none, the thread wakes the listeners now and then.
///
/// Thread-safe.
class changes {
  public:
    changes(log_lookup& logs, lease_table& leases, std::shared_ptr<notifier> listeners, bool streams, log_callback log);
    /// Ends the thread, within about a twentieth of a second.
    ~changes();
    changes(changes const&) = delete;
    changes& operator=(changes const&) = delete;

    /// Begins to wait, once.
    void start();

    /// As `store::inspect`. While the change stream is open, what it has told is not asked for again.
    inspection inspect(std::span<log_id const> asked, std::span<group_id const> asked_groups, steady_time deadline);

  private:
    void run();
    /// Until the stream ends. Throws what it ended with.
    void follow();
    bson::document open(std::function<bson::document(bson::document const&)> const& ask);
    void poll();
    bool take(bson::fields const& event);
    /// What was known may be out of date.
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
    bool current_ = false;  // the change stream is open, and ends are known since
    std::uint64_t doubts_ = 0;
    std::optional<cluster_time> since_;                // where the change stream has begun
    std::map<group_id, std::optional<lease>> leases_;  // as last seen; no entry: to be asked for
    std::map<log_id, bool> seen_;                      // logs whose end has been asked for since the last doubt
    bool answered_ = false;                            // since it was opened. Used by the thread alone.
    bson::document token_;                             // where to resume; empty: nowhere. Used by the thread alone.
    std::thread thread_;
};

}  // namespace minibatch::store::mongo
