#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "store/mongo/groups/group_table.hpp"
#include "store/mongo/log/log_writer.hpp"
#include "store/mongo/streams/stream_table.hpp"

namespace minibatch::store::mongo {

/// Deletes streams, in steps that any process can finish. Thread-safe.
class stream_remover {
  public:
    stream_remover(stream_table& streams, group_table& groups, log_writer& writer)
        : clients_(groups.clients()),
          views_(groups.logs().views()),
          streams_(streams),
          groups_(groups),
          writer_(writer) {}

    /// As `store::delete_stream`.
    bool drop(std::string const& name, std::int64_t incarnation, steady_time deadline);

    /// Continues with what is left of deleted streams, of this handle and of others.
    void sweep(steady_time deadline);

  private:
    /// What the note of a deleted stream says.
    struct note {
        std::int64_t incarnation;
        int partitions;
        time_ms deleted;
        std::string name;
    };
    /// A deletion that was interrupted has left a stream that cannot be found, and handles that still use it.
    void finish(std::int64_t incarnation, steady_time deadline);
    /// After this no handle can use the stream any more.
    void append_tombstones(std::int64_t incarnation, int partitions, steady_time deadline);
    bool has_tombstones_of_ours(std::int64_t incarnation);
    void sweep(note const& of, steady_time now, steady_time deadline);

    client_pool& clients_;
    log_views& views_;
    stream_table& streams_;
    group_table& groups_;
    log_writer& writer_;
    std::mutex mutex_;
    std::optional<steady_time> sweep_at_;             // absent: at once
    std::map<std::int64_t, known_since> tombstones_;  // since when; by this handle, of what is not removed yet
};

}  // namespace minibatch::store::mongo
