#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "store/mongo/layout.hpp"
#include "store/mongo/log/log_view.hpp"
#include "store/mongo/wire/database_clock.hpp"

namespace minibatch::store::mongo {

/// What this handle knows of logs without asking the server. Thread-safe.
class log_views {
  public:
    explicit log_views(database_clock& time) : time_(time) {}

    /// Created if it is not there yet.
    std::shared_ptr<log_view> of(log_id log);
    std::vector<std::pair<log_id, std::shared_ptr<log_view>>> all();
    void forget(log_id log);

    /// The log goes at least as far.
    std::optional<log_end> known_end(log_id log);
    /// `told`: the server's time in the answer that told of the end, if the answer proves that it was the end.
    void note_end(log_view& of, log_end const& end, std::optional<cluster_time> told);
    /// A change stream has told of a record. False: the listeners have been notified of it already.
    bool note_record(log_id log, record_header const& record);
    /// A transaction has added to the log.
    void note_written(log_id log, log_end const& end);

    /// The local time, and the server's time in an answer as far as it is used to judge what has passed.
    known_since moment_of(std::optional<cluster_time> told);
    database_clock& time() noexcept { return time_; }

  private:
    database_clock& time_;
    std::mutex mutex_;
    std::map<log_id, std::shared_ptr<log_view>> views_;
    std::atomic<bool> tells_time_ = false;  // the server does: it is no standalone one
};

}  // namespace minibatch::store::mongo
