#pragma once

#include <limits>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "mongo_model/network.hpp"
#include "store/store.hpp"

namespace mongo_model {

using minibatch::store::progress;

/// The document of one group in one partition, as far as commits and leases go.
struct group {
    progress state;
    std::int64_t epoch = 0;
    std::int64_t revision = 0;
    int holder = -1;      // none
    int acquisition = 0;  // the holder's
    moment expires = 0;
};

/// Of a replica set, what one group sees: a primary, the point up to which a majority has followed, and failovers,
/// which lose what lies behind that point. Every state that was ever durable can still be read.
class group_replicas {
  public:
    using op_time = std::int64_t;

    group_replicas(timeline& time, weather const& how) : time_(time), how_(how), versions_{{{}, 0}} {}

    /// On the primary: what is there.
    group const& newest() const { return versions_.back().what; }
    op_time newest_time() const noexcept { return newest_; }
    op_time durable_time() const noexcept { return durable_; }
    /// What a majority had at that time.
    group const& at(op_time when) const;
    /// A time as of which a server may answer a question now: not before `after`. Absent: it must wait.
    std::optional<op_time> readable(std::optional<op_time> after);

    op_time write(group to);
    bool lost(op_time write) const { return lost_.contains(write); }
    void fail_over();

    /// The states that became durable, in order.
    std::vector<group> const& history() const noexcept { return history_; }

  private:
    struct version {
        group what;
        op_time since;
    };
    void replicate();

    timeline& time_;
    weather const& how_;
    std::vector<version> versions_;
    bool replicating_ = false;
    std::set<op_time> lost_;
    std::vector<op_time> points_{0};  // that have been durable ends
    op_time newest_ = 0;
    op_time durable_ = 0;
    std::vector<group> history_{{}};
};

}  // namespace mongo_model
