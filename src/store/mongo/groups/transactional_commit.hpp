#pragma once

#include "store/mongo/groups/group_commits.hpp"

namespace minibatch::store::mongo {

/// A commit that carries writes: one transaction of the database, repeated until its outcome is known.
class transactional_commit {
  public:
    /// The request and `resolve` must outlive it.
    transactional_commit(group_table& groups, revisions& known, revision_counter& counter,
                         commit_request const& request, group_commits::resolve_log const& resolve)
        : clients_(groups.clients()),
          groups_(groups),
          logs_(groups.logs()),
          known_(known),
          revisions_(counter),
          request_(request),
          resolve_(resolve) {}

    void run(steady_time deadline);

  private:
    client_pool& clients_;
    group_table& groups_;
    log_lookup& logs_;
    revisions& known_;
    revision_counter& revisions_;
    commit_request const& request_;
    group_commits::resolve_log const& resolve_;
};

}  // namespace minibatch::store::mongo
