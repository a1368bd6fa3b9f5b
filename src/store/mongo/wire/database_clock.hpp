#pragma once

#include <memory>
#include <mutex>

#include "store/store.hpp"

namespace minibatch::store::mongo {

/// The server's clock as it was told once, and goes on since by the local steady clock. Thread-safe.
class database_clock {
  public:
    explicit database_clock(std::shared_ptr<clock> local) : local_(std::move(local)), real_(local_ == clock::real()) {}

    /// The server said `server_now` in an answer to a question that was sent at `sent`, both ends included. Returns how
    /// far the estimate had been off.
    time_ms set(time_ms server_now, steady_time sent, steady_time received);
    time_ms now();
    /// For how long something has been known: goes on while the machine sleeps, as other machines do.
    steady_time steady_now();
    /// Deadlines of callers are by the given clock, waiting is done by the machine's.
    steady_time on_this_machine(steady_time deadline);
    /// False: tests say what time it is, also on the server.
    bool real() const noexcept { return real_; }

  private:
    std::shared_ptr<clock> local_;
    bool real_;
    std::mutex mutex_;
    time_ms base_ = 0;
    steady_time base_at_{};
};

}  // namespace minibatch::store::mongo
