#pragma once

#include <memory>
#include <mutex>

#include "store/store.hpp"

namespace minibatch::store::mongo {

/// An estimate of the server's clock: as last reported, continued by the local steady clock. Thread-safe.
class database_clock {
  public:
    explicit database_clock(std::shared_ptr<clock> local) : local_(std::move(local)), real_(local_ == clock::real()) {}

    /// The server reported `server_now` in an answer that arrived at `received` to a question sent at `sent`. Returns
    /// the error of the previous estimate.
    time_ms set(time_ms server_now, steady_time sent, steady_time received);
    time_ms now();
    /// For measuring how long something has been known. It continues while the machine sleeps.
    steady_time steady_now();
    /// Converts a deadline of a caller, which is by the given clock, to the clock of the machine.
    steady_time on_this_machine(steady_time deadline);
    /// False: tests set the time, also that of the server.
    bool real() const noexcept { return real_; }

  private:
    std::shared_ptr<clock> local_;
    bool real_;
    std::mutex mutex_;
    time_ms base_ = 0;
    steady_time base_at_{};
};

}  // namespace minibatch::store::mongo
