#pragma once

#include <vector>

#include "mongo_model/replication.hpp"
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
    moment expires = 0;   // by the clock of the server
    std::int64_t renewals = 0;
};

/// Of a replica set, what one group sees.
class group_replicas : public replication {
  public:
    group_replicas(timeline& time, fault_profile const& how) : replication(time, how) {}

    /// On the primary: what is there.
    group const& current() const { return versions_.back().what; }
    /// What a majority had at that time.
    group const& at(op_time when) const;

    op_time write(group to);
    void fail_over();

    /// The states that became durable, in order.
    std::vector<group> const& history() const noexcept { return history_; }

  private:
    struct version {
        group what;
        op_time since;
    };
    void became_durable(op_time from, op_time to) override;

    std::vector<version> versions_{{{}, 0}};
    std::vector<group> history_{{}};
};

}  // namespace mongo_model
