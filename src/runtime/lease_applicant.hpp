#pragma once

#include <functional>
#include <optional>
#include <string>

#include "runtime/lease_watch.hpp"
#include "runtime/partition_context.hpp"

namespace minibatch::runtime {

/// Asks for the lease of a group in one partition until it is granted, and watches its holder meanwhile. On the loop
/// alone.
class lease_applicant {
  public:
    explicit lease_applicant(partition_context const& context) : context_(context) {}

    struct grant {
        store::acquire_result answer;
        steady_time asked;  // the lease counts from here
    };
    /// Waits until the lease is granted. Absent: `stopped` has become true; whoever makes it so notifies
    /// `context.wake`.
    asio::awaitable<std::optional<grant>> acquire(std::function<bool()> stopped);

    /// An inspection has shown the lease as it is now; absent: its group is gone.
    void changed(std::optional<store::lease> const& held);
    /// The lease that was granted has passed to somebody else or was released. Until then asking again is a repetition,
    /// so that our own lease does not stop us.
    void lost() { acquisition_.clear(); }

  private:
    asio::awaitable<void> stand_by(store::lease const& held, std::function<bool()> const& stopped);

    partition_context const& context_;
    std::string acquisition_;
    std::optional<lease_watch> other_;  // while somebody else holds it
    bool ask_again_ = false;            // it may be free
};

}  // namespace minibatch::runtime
