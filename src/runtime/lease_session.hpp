#pragma once

#include <algorithm>
#include <optional>

#include "runtime/scheduler.hpp"

namespace minibatch::runtime {

/// One lease from its grant to its end, as its holder sees it. The holder counts it from before it asked, for the grant
/// and for each renewal, so that it ends here before it ends for anybody else. On the loop alone.
class lease_session {
  public:
    lease_session(store::group_id group, std::int64_t epoch, milliseconds length, steady_time asked)
        : group_(std::move(group)), epoch_(epoch), length_(length), valid_until_(asked + length) {}

    std::int64_t epoch() const noexcept { return epoch_; }
    /// Whether it was released or has passed to another holder, as far as is known. What tries to commit is refused
    /// then.
    bool over() const noexcept { return over_; }
    /// Whether windows may be handed out. A lease that is not valid may still be renewed.
    bool valid(steady_time now) const noexcept { return !over_ && now < valid_until_; }

    /// Absent when it is over.
    std::optional<store::renew_request> renewal() const {
        if (over_) return std::nullopt;
        return store::renew_request{group_, epoch_, length_};
    }
    void renewed(steady_time asked) noexcept { valid_until_ = std::max(valid_until_, asked + length_); }
    store::release_request release() const { return {group_, epoch_}; }
    void end() noexcept { over_ = true; }

  private:
    store::group_id group_;
    std::int64_t epoch_;
    milliseconds length_;
    steady_time valid_until_;
    bool over_ = false;
};

}  // namespace minibatch::runtime
