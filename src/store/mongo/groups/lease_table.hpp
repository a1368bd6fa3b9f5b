#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "store/mongo/groups/group_table.hpp"
#include "store/mongo/groups/renewal_counts.hpp"
#include "store/mongo/groups/revisions.hpp"

namespace minibatch::store::mongo {

/// The leases of consumer groups: who holds a group, and until when. Thread-safe.
class lease_table {
  public:
    /// `known` is told what an acquisition has found.
    lease_table(group_table& groups, revisions& known)
        : clients_(groups.clients()), groups_(groups), time_(groups.logs().time()), known_(known) {}

    acquire_result acquire(acquire_request const& request, steady_time deadline);
    /// All at once; each gets its own result.
    void renew(std::span<write_job*> jobs, steady_time deadline);
    void release(release_request const& request, steady_time deadline);

    /// In the order asked for; absent ones are not there. `after`: not as they were before that time.
    std::vector<std::optional<lease>> leases(std::span<group_id const> ids, std::optional<cluster_time> after,
                                             steady_time deadline);

  private:
    /// The same for jobs of which no two are of one lease.
    void renew_distinct(std::span<write_job* const> jobs, steady_time deadline);
    /// `counts`: of renewals that the records must have, as far as they are known.
    bson::document renewal_of(std::span<write_job* const> jobs, std::span<std::optional<std::int64_t> const> counts);
    /// True, with the result set: the renewal's lease is over, going by what was found.
    bool lost_lease(write_job& job, std::map<std::string, stored_group> const& found, steady_time deadline);

    client_pool& clients_;
    group_table& groups_;
    database_clock& time_;
    revisions& known_;
    renewal_counts renewals_;
};

}  // namespace minibatch::store::mongo
