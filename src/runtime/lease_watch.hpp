#pragma once

#include <algorithm>
#include <optional>

#include "runtime/scheduler.hpp"
#include "store/time_arithmetic.hpp"

namespace minibatch::runtime {

/// Finds out whether the holder of a lease is gone: a lease has ended when its record has stayed as it is for the
/// lease's whole length by this process's steady clock. A live holder renews it several times within that, and clocks
/// that are set change nothing. Pure: it is told what was read, and when.
class lease_watch {
  public:
    /// Where a record does not say how long its lease is, it is taken to be as long as `otherwise` at least.
    explicit lease_watch(milliseconds otherwise) : otherwise_(otherwise) {}

    /// The record as it was read; `now` is a moment after that, by the steady clock, `database_now` by the database's.
    /// Returns whether it shows something new. What is older than what was seen before is ignored.
    bool see(store::lease const& held, steady_time now, time_ms database_now) {
        if (seen_) {
            if (held.unchanged_since(*seen_) || older(held)) return false;
        }
        seen_ = held;
        ends_at_ = store::after(now, held.length.count() > 0 ? held.length : assumed_length(held, database_now));
        return true;
    }

    std::optional<store::lease> const& seen() const noexcept { return seen_; }
    /// When the lease ends if it stays unchanged. Precondition: seen().
    steady_time ends_at() const noexcept { return ends_at_; }
    /// The lease as it was seen for its whole length.
    std::optional<store::lease> ended(steady_time now) const { return seen_ && now >= ends_at_ ? seen_ : std::nullopt; }

  private:
    bool older(store::lease const& held) const noexcept {
        return held.epoch < seen_->epoch || (held.epoch == seen_->epoch && held.acquisition == seen_->acquisition &&
                                             held.renewals < seen_->renewals);
    }
    /// Of the record of an earlier version. Its holder renews every third, so that two thirds are left at least; more
    /// than a minute is rather a clock that was ahead.
    milliseconds assumed_length(store::lease const& held, time_ms database_now) const {
        constexpr milliseconds longest{60'000};
        auto const left = std::clamp(milliseconds(store::saturating_difference(held.expires, database_now)),
                                     milliseconds(0), longest);
        return std::max(otherwise_, left * 3 / 2);
    }

    milliseconds otherwise_;
    std::optional<store::lease> seen_;
    steady_time ends_at_{};
};

}  // namespace minibatch::runtime
