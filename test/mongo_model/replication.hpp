#pragma once

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "mongo_model/network.hpp"

namespace mongo_model {

/// When something happened, in the order of the database.
using op_time = std::int64_t;

/// Of a replica set: a primary that writes, the point up to which a majority has followed it, and failovers, which lose
/// what lies behind that point. Every state that was ever durable can still be read.
class replication {
  public:
    replication(timeline& time, fault_profile const& how) : time_(time), how_(how) {}
    replication(replication const&) = delete;
    replication& operator=(replication const&) = delete;

    op_time durable() const noexcept { return durable_; }
    op_time newest() const noexcept { return newest_; }
    /// Whether a write was lost by a failover. Precondition: it is not durable.
    bool lost(op_time write) const { return lost_.contains(write); }

    /// By the clocks of the primaries, in seconds, as the servers' operationTime has it: it never goes back.
    std::int64_t seconds_of(op_time when) const { return std::prev(seconds_.upper_bound(when))->second; }
    /// The clock of the primary.
    moment server_now() const { return time_.now() + clock_offset_; }
    /// How often there has been another primary.
    int primaries() const noexcept { return primaries_; }
    void set_clock() { clock_offset_ = time_.chance(500) ? time_.pick(-3'600'000, 0) : time_.pick(-20'000, 20'000); }

    /// A time as of which a server may answer a question now: not before `after`. Absent: it must wait.
    std::optional<op_time> readable(std::optional<op_time> after) {
        auto const least = after.value_or(0);
        if (time_.chance(how_.stale)) {
            auto const point = points_[static_cast<std::size_t>(time_.pick(0, std::ssize(points_) - 1))];
            if (point >= least) return point;
        }
        if (durable_ < least) return std::nullopt;
        return durable_;
    }

  protected:
    ~replication() = default;

    /// The time of a write that the primary has just made.
    op_time written() {
        ++newest_;
        auto const clock = (10'000'000 + time_.now() + clock_offset_) / 1'000;
        seconds_[newest_] = std::max(clock, std::prev(seconds_.end())->second);
        if (!std::exchange(replicating_, true))
            time_.after(time_.chance(how_.slow) ? time_.pick(100, 5'000) : time_.pick(1, 20), [this] { replicate(); });
        return newest_;
    }
    void change_primary() {
        ++primaries_;
        clock_offset_ = time_.pick(-3'000, 3'000);
    }
    /// All that is not durable is lost.
    void lose_writes() {
        for (auto time = durable_ + 1; time <= newest_; ++time) lost_.insert(time);
    }
    /// What was written in (from, to] is durable now.
    virtual void became_durable(op_time from, op_time to) = 0;

    timeline& time_;
    fault_profile const& how_;

  private:
    void replicate() {
        replicating_ = false;
        auto to = time_.chance(500) ? newest_ : time_.pick(durable_ + 1, newest_);
        while (lost_.contains(to)) ++to;  // times of another past
        auto const from = std::exchange(durable_, to);
        points_.push_back(to);
        became_durable(from, to);
        if (durable_ == newest_) return;
        replicating_ = true;
        time_.after(time_.pick(1, 20), [this] { replicate(); });
    }

    bool replicating_ = false;
    std::map<op_time, std::int64_t> seconds_{{0, 10'000}};
    moment clock_offset_ = 0;
    int primaries_ = 0;
    std::set<op_time> lost_;
    std::vector<op_time> points_{1};  // that have been durable ends
    op_time newest_ = 1;
    op_time durable_ = 1;
};

}  // namespace mongo_model
