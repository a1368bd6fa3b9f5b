#pragma once

#include <functional>
#include <map>
#include <span>
#include <variant>
#include <vector>

#include "store/mongo/committer.hpp"
#include "store/mongo/logs.hpp"
#include "store/mongo/renewal_counts.hpp"

namespace minibatch::store::mongo {

/// The consumer groups of a database on MongoDB. Each change of a group is one atomic update of its document.
/// Thread-safe.
class group_table {
  public:
    /// `transactions`: whether the server has them.
    group_table(client_pool& clients, logs& all, bool transactions)
        : clients_(clients), logs_(all), transactions_(transactions) {}

    group_state enroll(group_id const& id, start_position start, bool keep, steady_time deadline);
    /// Those of one log, by the names in its head; absent ones are about to be registered.
    std::vector<std::optional<group_state>> of_log(log_id log, std::vector<std::string> const& names,
                                                   steady_time deadline);
    /// By a majority; `after`: not as it was before that time.
    std::optional<stored_group> find(group_id const& id, steady_time deadline, std::optional<cluster_time> after = {});
    std::vector<group_state> list(std::int64_t incarnation, int partitions, steady_time deadline);
    bool drop(std::int64_t incarnation, int partitions, std::string const& name, steady_time deadline,
              std::span<partition_lease const> ended = {});
    /// For good, with the stream.
    void drop_all(log_id log, std::vector<std::string> const& names, steady_time deadline);

    acquire_result acquire(acquire_request const& request, steady_time deadline);
    /// All at once; each gets its own result.
    void renew(std::span<write_job*> jobs, steady_time deadline);
    void release(release_request const& request, steady_time deadline);
    /// The log of a stream's partition, by the stream's name; throws errc::stream_not_found or errc::invalid_argument.
    using resolve_log = std::function<log_id(std::string const&, int, steady_time)>;
    void commit(commit_request const& request, resolve_log const& resolve, steady_time deadline);

    /// In the order asked for; absent ones are not there. `after`: not as they were before that time.
    std::vector<std::optional<lease>> leases(std::span<group_id const> ids, std::optional<cluster_time> after,
                                             steady_time deadline);

  private:
    /// Why nothing was found or changed, as an error.
    [[noreturn]] void missing(group_id const& id, steady_time deadline);
    /// Adds the name to those in the head, and returns the head as it was before; `in_doubt`: or as an earlier try of
    /// ours has left it.
    head announce(group_id const& id, steady_time deadline, bool* in_doubt = nullptr);
    /// Takes a registration back that nobody has acquired.
    void withdraw(stored_group const& group, steady_time deadline);
    /// The server's clock, as it is now.
    time_ms server_time(steady_time deadline);
    /// Takes the name of a deleted group off, unless it has been registered anew.
    void unlist(group_id const& id, steady_time deadline);
    bson::document renewal_of(std::span<write_job* const> jobs);
    /// True, with the result set: the renewal's lease is over, going by what was found.
    bool lost_lease(write_job& job, std::map<std::string, stored_group> const& found, steady_time deadline);
    void commit_with_writes(commit_request const& request, resolve_log const& resolve, steady_time deadline);
    /// By key.
    std::map<std::string, stored_group> load(std::vector<std::string> const& keys, steady_time deadline,
                                             std::optional<cluster_time> after = {});
    /// Like `find`, in one try.
    std::variant<failure, std::optional<stored_group>> look(group_id const& id, std::optional<cluster_time> after,
                                                            steady_time deadline);

    client_pool& clients_;
    logs& logs_;
    bool transactions_;
    revision_counter revisions_;
    revisions known_;
    renewal_counts renewals_;
};

}  // namespace minibatch::store::mongo
