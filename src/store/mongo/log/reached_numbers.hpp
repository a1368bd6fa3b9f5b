#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>

#include "store/mongo/wire/answer_origin.hpp"
#include "store/store.hpp"

namespace minibatch::store::mongo {

/// How long the successor of a record has been known before the record is removed; twice what `appender::fresh` allows.
inline constexpr std::chrono::seconds removal_delay{10};

/// A moment by this machine's steady clock and, except on a standalone server, by the servers' operation time.
struct known_since {
    steady_time local{};
    std::optional<cluster_time> server{};
};

/// Whether `delay` has passed by both clocks. The local clock alone is not enough: an appender judges by the servers'
/// time, and that stands still after the clock of the primary was set back. Where `server` is absent now but was not
/// then, the answer is false.
inline bool has_passed(known_since const& since, known_since const& now, std::chrono::seconds delay) noexcept {
    if (now.local - since.local < delay) return false;
    if (!since.server) return true;
    return now.server && *now.server >= *since.server && now.server->seconds - since.server->seconds >= delay.count();
}

/// Numbers that a log is known to have reached, and since when. They tell which records may be removed, so that no
/// appender can still be about to use their numbers.
class reached_numbers {
  public:
    /// A majority has confirmed that `end` is the end or lies before it. `answered` is when the answer arrived, not
    /// when the question was sent: the record before `end` may have been added in between.
    void note(std::int64_t end, known_since answered) {
        // One note a second is enough to know what has been there for ten.
        if (!known_.empty() &&
            (answered.local - known_.back().since.local < std::chrono::seconds(1) || end <= known_.back().end))
            return;
        known_.push_back({answered, end});
    }

    /// Records with lower numbers have had a successor for long enough. 0: none.
    std::int64_t removable_below(known_since const& now) {
        while (known_.size() > 1 && has_passed(known_[1].since, now, removal_delay)) known_.pop_front();
        if (known_.empty() || !has_passed(known_.front().since, now, removal_delay)) return 0;
        return known_.front().end - 1;
    }

    /// The same by the local clock alone: whether it is worthwhile to ask for the servers' time.
    std::int64_t ripe_below(steady_time now) const {
        std::int64_t out = 0;
        for (auto const& each : known_) {
            if (now - each.since.local < removal_delay) break;
            out = each.end - 1;
        }
        return out;
    }

  private:
    struct entry {
        known_since since;
        std::int64_t end;
    };
    std::deque<entry> known_;
};

}  // namespace minibatch::store::mongo
