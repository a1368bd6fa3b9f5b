#pragma once

#include "store/mongo/groups.hpp"

namespace minibatch::store::mongo {

/// The streams of a database on MongoDB. Thread-safe.
class stream_table {
  public:
    stream_table(client_pool& clients, logs& all, group_table& table) : clients_(clients), logs_(all), groups_(table) {}

    stream_record open(std::string const& name, std::optional<int> partitions, std::optional<retention> const& limits,
                       steady_time deadline);
    std::optional<stream_record> find(std::string const& name, steady_time deadline);
    std::vector<stream_record> list(steady_time deadline);
    bool drop(std::string const& name, std::int64_t incarnation, steady_time deadline);

    /// By incarnation; errc::stream_deleted. What it says of the limits may be some seconds old.
    stream_record known(std::int64_t incarnation, steady_time deadline);
    /// errc::stream_deleted or errc::invalid_argument unless there is such a log.
    void check(log_id log, steady_time deadline);
    void forget(std::int64_t incarnation);

    /// Goes on with what remains of deleted streams, of this handle and of others.
    void sweep(steady_time deadline);

  private:
    /// What the names of notes begin with that a stream was deleted; no stream has such a name.
    static constexpr char const* graves_from = "!";
    struct remembered {
        stream_record record;
        steady_time since;
    };
    std::vector<stream_record> query(bson::document const& filter, steady_time deadline);
    stream_record remember(stream_record record);
    void make_heads(stream_record const& stream, steady_time deadline);
    bson::document delete_head(log_id log) const;
    void finish(std::int64_t incarnation, steady_time deadline);
    void bury(std::int64_t incarnation, int partitions, steady_time deadline);
    bool buried_by_us(std::int64_t incarnation);
    /// Of a stream that was deleted.
    struct remains {
        std::int64_t incarnation;
        int partitions;
        time_ms deleted;
        std::string name;
    };
    void sweep(remains const& of, steady_time now, steady_time deadline);

    client_pool& clients_;
    logs& logs_;
    group_table& groups_;
    std::mutex mutex_;
    std::map<std::int64_t, remembered> known_;
    std::optional<steady_time> sweep_at_;         // absent: at once
    std::map<std::int64_t, known_since> buried_;  // when; by this handle, of what is not removed yet
};

}  // namespace minibatch::store::mongo
