#pragma once

#include "runtime/lease_session.hpp"
#include "runtime/partition_context.hpp"

namespace minibatch::runtime {

/// The pauses of a worker after errors that trying again may mend, longer with each in a row. On the loop alone.
class outage_pause {
  public:
    explicit outage_pause(partition_context const& context) : context_(context) {}

    /// Reports the error and waits. Ends early when the consumer is stopped, or the lease is over, if there is one.
    asio::awaitable<void> after(error const& problem, lease_session const* lease);
    /// The database has answered.
    void end() noexcept { errors_ = 0; }

  private:
    partition_context const& context_;
    int errors_ = 0;  // in a row
};

}  // namespace minibatch::runtime
