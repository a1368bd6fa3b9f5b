#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "store/mongo/log/log_lookup.hpp"

namespace minibatch::store::mongo {

/// The streams of a database on MongoDB, but for their deletion (`stream_remover`). Thread-safe.
class stream_table {
  public:
    explicit stream_table(log_lookup& logs) : clients_(logs.clients()), time_(logs.time()) {}

    stream_record open(std::string const& name, std::optional<int> partitions, std::optional<retention> const& limits,
                       steady_time deadline);
    std::optional<stream_record> find(std::string const& name, steady_time deadline);
    std::vector<stream_record> list(steady_time deadline);

    /// By incarnation; errc::stream_deleted. What it says of the limits may be some seconds old.
    stream_record known(std::int64_t incarnation, steady_time deadline);
    /// errc::stream_deleted or errc::invalid_argument unless there is such a log.
    void check(log_id log, steady_time deadline);
    void forget(std::int64_t incarnation);

    /// What the `_id` of a note begins with that a stream was deleted; no stream has such a name.
    static constexpr char const* notes_from = "!";
    /// The command that deletes the head of a log.
    bson::document delete_head(log_id log) const;

  private:
    struct remembered {
        stream_record record;
        steady_time since;
    };
    std::vector<stream_record> query(bson::document const& filter, steady_time deadline);
    stream_record remember(stream_record record);
    void make_heads(stream_record const& stream, steady_time deadline);

    client_pool& clients_;
    database_clock& time_;
    std::mutex mutex_;
    std::map<std::int64_t, remembered> known_;
};

}  // namespace minibatch::store::mongo
