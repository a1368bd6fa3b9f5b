#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <minibatch/options.hpp>
#include <string>
#include <vector>

#include "runtime/clock_reader.hpp"
#include "runtime/scheduler.hpp"
#include "runtime/tail.hpp"
#include "runtime/write_queue.hpp"

namespace minibatch::runtime {

/// Receives the changes that other processes make to one log and one lease. Called on the loop.
struct change_listener {
    virtual ~change_listener() = default;
    virtual store::group_id const& watched() const = 0;
    /// Whether it wants an inspection now. False: it reads the log anyway before it waits again.
    virtual bool concerned() = 0;
    /// The log's end and the lease as they are now; absent: deleted.
    virtual void changed(std::optional<store::log_position> end, std::optional<store::lease> held) = 0;
    /// The database has failed for good: the next call of the store reports it.
    virtual void store_failed() = 0;
};

/// A lease that is to be renewed. Called on the loop.
struct lease_holder {
    virtual ~lease_holder() = default;
    /// Absent: it is not held at present.
    virtual std::optional<store::renew_request> renewal() const = 0;
    /// `sent` is when the renewal was handed over: the lease counts from there. A release and the next acquisition may
    /// have overtaken it: `epoch` tells which lease it was for.
    virtual void renewed(std::int64_t epoch, store::write_result const& outcome, steady_time sent) = 0;
};

/// What the streams, producers and consumers of one database handle share.
class engine : public std::enable_shared_from_this<engine> {
  public:
    engine(environment env, std::size_t max_pending_bytes);

    environment const env;
    /// What this handle is called as the holder of leases. Another handle never has the same name.
    std::string const owner;
    tail newest;
    std::shared_ptr<write_queue> const writes;
    /// Partition workers that have not ended yet.
    std::atomic<int> active = 0;

    /// Begins the housekeeping of the database. Once, after construction.
    void start();

    // The following on the loop alone.

    clock_reader clocks{env};

    /// All leases are renewed together, every third of the shortest.
    void keep(std::weak_ptr<lease_holder> holder, milliseconds lease);
    /// Inspects the logs and leases of all listeners that are concerned, in one call, whenever another process may have
    /// written.
    void watch(std::weak_ptr<change_listener> listener);
    /// Inspects now: this process has changed something that its own standbys wait for.
    void change_seen();
    /// Inspects soon, once for all calls until then. Thread-safe.
    void look_soon();

    /// Keeps a log within its stream's retention limits while the handle is open. Thread-safe.
    void retain(store::stream_record const& stream);

    /// Ends timers and notifications. Thread-safe.
    void stop();

  private:
    void renew_all();
    void arm_renewal(milliseconds lease);
    void inspect();
    void maintain();
    void tell_failure(error const& problem);
    void trim_retained();

    std::atomic<bool> stopped_ = false;

    std::vector<std::weak_ptr<lease_holder>> holders_;  // each once
    milliseconds renewal_period_{0};
    std::unique_ptr<timer> renewal_;

    std::vector<std::weak_ptr<change_listener>> listeners_;
    std::unique_ptr<store::subscription> subscription_;
    std::atomic<bool> change_posted_ = false;
    bool inspecting_ = false;
    bool inspect_again_ = false;
    std::unique_ptr<timer> next_inspection_;

    std::unique_ptr<timer> next_maintenance_;
    std::atomic<bool> maintenance_posted_ = false;
    bool maintaining_ = false;

    std::map<store::log_id, store::retention> retained_;
    std::unique_ptr<timer> next_trim_;
};

}  // namespace minibatch::runtime
