#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "store/store.hpp"

namespace minibatch::runtime {

/// The newest segments that this process has appended. Its own consumers take them from here instead of reading them
/// back. Only durable segments of logs that have a follower are kept; when they exceed the limit, the oldest go first.
///
/// Thread-safe. The callbacks run on the thread that publishes and must not call this object.
class tail {
  public:
    explicit tail(std::size_t max_bytes = std::size_t{16} << 20) : max_bytes_(max_bytes) {}

    /// A registration; its destructor ends it.
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
    /// Called after each append to the log with the end of the log behind it. Absent: the outcome of the append is
    /// unknown, and so is the end of the log.
    using appended = std::function<void(std::optional<store::log_position> end)>;
    [[nodiscard]] std::unique_ptr<follower> follow(store::log_id log, appended call);

    bool followed(store::log_id log) const;
    void publish(store::log_id log, log::segment_ptr segment);
    /// Tells the followers that the outcome of an append of this process is unknown.
    void doubt(store::log_id log);

    /// Consecutive segments from `number` on, as long as they are here and below `max_bytes` in all (at least one).
    std::vector<log::segment_ptr> from(store::log_id log, std::int64_t number, std::size_t max_bytes) const;

    /// Removes the segments of a stream that was cleared.
    void drop(std::int64_t incarnation);

  private:
    struct log_tail {
        std::deque<log::segment_ptr> segments;  // numbers grow, with gaps where other processes appended
        std::vector<std::pair<std::uint64_t, appended>> followers;
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
