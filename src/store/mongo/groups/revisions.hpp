#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "store/progress.hpp"

namespace minibatch::store::mongo {

/// What this handle knows of the revision of a group's record under an epoch that it holds.
struct known_revision {
    std::int64_t last = 0;                       // as acquired, or of the last commit that is known to have been stored
    std::map<std::int64_t, progress> perhaps{};  // of this handle's commits since then whose outcome is unknown

    /// Whether this handle's own commits explain a record with this revision and progress. Two processes that were
    /// resumed from one snapshot of a machine number their commits alike, so that the number alone does not tell.
    bool explains(std::int64_t revision, progress const& state) const {
        if (revision <= last) return true;  // a lower one is an old view
        auto const found = perhaps.find(revision);
        return found != perhaps.end() && found->second == state;
    }
};

/// The same for all groups. A revision that is not explained shows that another process commits under the same epoch:
/// two processes that were resumed from one snapshot of a machine hold the same lease. Thread-safe.
class revisions {
  public:
    void acquired(std::string const& key, std::int64_t epoch, std::int64_t revision) {
        std::lock_guard const lock(mutex_);
        known_[key] = {epoch, {revision, {}}};
    }
    /// Absent: the lease was not acquired by this handle.
    std::optional<known_revision> of(std::string const& key, std::int64_t epoch) const {
        std::lock_guard const lock(mutex_);
        auto const found = known_.find(key);
        if (found == known_.end() || found->second.epoch != epoch) return std::nullopt;
        return found->second.what;
    }
    void set(std::string const& key, std::int64_t epoch, known_revision what) {
        std::lock_guard const lock(mutex_);
        auto const found = known_.find(key);
        if (found != known_.end() && found->second.epoch == epoch) found->second.what = std::move(what);
    }

  private:
    struct entry {
        std::int64_t epoch = 0;
        known_revision what;
    };
    mutable std::mutex mutex_;
    std::map<std::string, entry> known_;
};

}  // namespace minibatch::store::mongo
