#pragma once

#include <functional>
#include <string>

#include "store/mongo/groups/committer.hpp"
#include "store/mongo/groups/group_table.hpp"

namespace minibatch::store::mongo {

/// Commits of consumer groups: carries out what the committer says, or a transaction if there are writes. Thread-safe.
class group_commits {
  public:
    /// `transactions`: whether the server has them.
    group_commits(group_table& groups, revisions& known, bool transactions)
        : clients_(groups.clients()), groups_(groups), known_(known), transactions_(transactions) {}

    /// The log of a stream's partition, by the stream's name; throws errc::stream_not_found or errc::invalid_argument.
    using resolve_log = std::function<log_id(std::string const&, int, steady_time)>;
    void commit(commit_request const& request, resolve_log const& resolve, steady_time deadline);

  private:
    void commit_progress(commit_request const& request, steady_time deadline);

    client_pool& clients_;
    group_table& groups_;
    revisions& known_;
    bool transactions_;
    revision_counter revisions_;
};

}  // namespace minibatch::store::mongo
