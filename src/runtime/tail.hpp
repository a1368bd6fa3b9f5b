#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "store/store.hpp"

namespace minibatch::runtime {

/// The newest segments that this process has appended, for its own consumers, so that they need not be read back.
/// Holds only durable segments, and only of logs that somebody here follows; bounded, oldest dropped first.
///
/// Thread-safe. The callbacks run on the thread that publishes and must not call back.
class tail {
  public:
    explicit tail(std::size_t max_bytes = std::size_t{16} << 20) : max_bytes_(max_bytes) {}

    /// Unregisters when destroyed.
    class follower {
      public:
        follower(tail& owner, store::log_id log, std::uint64_t key) : owner_(&owner), log_(log), key_(key) {}
        follower(follower const&) = delete;
        follower& operator=(follower const&) = delete;
        ~follower() { owner_->leave(log_, key_); }

      private:
        tail* owner_;
        store::log_id log_;
        std::uint64_t key_;
    };
    /// `appended` is called after each publication to the log.
    [[nodiscard]] std::unique_ptr<follower> follow(store::log_id log, std::function<void()> appended);

    bool followed(store::log_id log) const;
    void publish(store::log_id log, log::segment_ptr segment);
    /// An append of this process may have been stored or not: only the store knows how far the log goes.
    void doubt(store::log_id log);

    struct answer {
        std::vector<log::segment_ptr> segments;  // consecutive, from the number asked for; may be empty
        std::int64_t end = 0;                    // one past the newest number that may have been appended here
    };
    answer from(store::log_id log, std::int64_t number, std::size_t max_bytes) const;

    /// Forgets the segments of a stream, because they were cleared.
    void drop(std::int64_t incarnation);

  private:
    struct log_tail {
        std::deque<log::segment_ptr> segments;  // numbers grow, with gaps where other processes appended
        std::vector<std::pair<std::uint64_t, std::function<void()>>> followers;
        std::int64_t end = 0;
    };
    void leave(store::log_id log, std::uint64_t key);
    void shrink();

    mutable std::mutex mutex_;
    std::map<store::log_id, log_tail> logs_;
    std::deque<store::log_id> order_;  // one entry a segment, oldest first
    std::size_t bytes_ = 0;
    std::size_t max_bytes_;
    std::uint64_t next_key_ = 0;
};

}  // namespace minibatch::runtime
