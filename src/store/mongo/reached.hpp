#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <utility>

#include "store/store.hpp"

namespace minibatch::store::mongo {

/// How long the successor of a record has been known before the record is removed; twice what `appender::fresh` allows.
inline constexpr std::chrono::seconds removal_delay{10};

/// Numbers that a log is known to have reached, and since when: what tells which records may be removed, so that no
/// appender can still be about to use their numbers.
class reached_numbers {
  public:
    /// A majority has told that `end` is the end or lies before it. `answered` is when the answer was there, and not
    /// when the question was sent: the record before `end` may have been added in between.
    void note(std::int64_t end, steady_time answered) {
        // One note a second is enough to know what has been there for ten.
        if (!known_.empty() &&
            (answered - known_.back().first < std::chrono::seconds(1) || end <= known_.back().second))
            return;
        known_.emplace_back(answered, end);
    }

    /// Records with lower numbers have had a successor for long enough. 0: none.
    std::int64_t removable_below(steady_time now) {
        auto const known_since = now - removal_delay;
        while (known_.size() > 1 && known_[1].first <= known_since) known_.pop_front();
        if (known_.empty() || known_.front().first > known_since) return 0;
        return known_.front().second - 1;
    }

  private:
    std::deque<std::pair<steady_time, std::int64_t>> known_;
};

}  // namespace minibatch::store::mongo
