#pragma once

#include <map>
#include <span>
#include <variant>
#include <vector>

#include "store/mongo/log/log_lookup.hpp"

namespace minibatch::store::mongo {

/// The consumer groups of a database on MongoDB: registration, deletion, and their records as they are read. Each
/// change of a group is one atomic update of its document. Thread-safe.
class group_table {
  public:
    group_table(client_pool& clients, log_lookup& logs) : clients_(clients), logs_(logs) {}

    group_state enroll(group_id const& id, start_position start, bool keep, steady_time deadline);
    std::vector<group_state> list(std::int64_t incarnation, int partitions, steady_time deadline);
    /// As `store::delete_group`.
    bool drop(std::int64_t incarnation, int partitions, std::string const& name, steady_time deadline,
              std::span<partition_lease const> ended = {});
    /// Removes them together with their stream.
    void drop_all(log_id log, std::vector<std::string> const& names, steady_time deadline);

    /// Those of one log, by the names in its head; absent ones are about to be registered.
    std::vector<std::optional<group_state>> of_log(log_id log, std::vector<std::string> const& names,
                                                   steady_time deadline);
    /// By a majority; `after`: not as it was before that time.
    std::optional<stored_group> find(group_id const& id, steady_time deadline, std::optional<cluster_time> after = {});
    /// The same in one try.
    std::variant<failure, std::optional<stored_group>> look(group_id const& id, std::optional<cluster_time> after,
                                                            steady_time deadline);
    /// By key.
    std::map<std::string, stored_group> load(std::vector<std::string> const& keys, steady_time deadline,
                                             std::optional<cluster_time> after = {});
    /// Throws errc::group_not_found, or errc::stream_deleted if the whole stream is gone.
    [[noreturn]] void missing(group_id const& id, steady_time deadline);

    client_pool& clients() noexcept { return clients_; }
    log_lookup& logs() noexcept { return logs_; }

  private:
    /// Adds the name to those in the head, and returns the head as it was before; `in_doubt`: or as an earlier try of
    /// ours has left it.
    head announce(group_id const& id, steady_time deadline, bool* in_doubt = nullptr);
    /// Removes a registration that nobody has acquired.
    void withdraw(stored_group const& group, steady_time deadline);
    /// The server's clock, as it is now.
    time_ms server_time(steady_time deadline);
    /// Removes the name of a deleted group from the head, unless the group has been registered again.
    void unlist(group_id const& id, steady_time deadline);

    client_pool& clients_;
    log_lookup& logs_;
};

}  // namespace minibatch::store::mongo
