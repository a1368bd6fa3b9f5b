#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "store/types.hpp"

namespace minibatch::store::mongo {

/// The counters of renewals in the records of the leases that this handle holds, as far as they are known. A counter
/// that the handle's own renewals do not explain shows that another process renews the same lease: two processes that
/// were resumed from one snapshot of a machine have the same acquisition id and the same epoch. Thread-safe.
class renewal_counts {
  public:
    /// `late`: a copy of the request may still be under way, which counts as a renewal.
    void acquired(std::string const& key, lease const& held, bool late) {
        std::lock_guard const lock(mutex_);
        known_[key] = {held.epoch, held.renewals, late ? 1 : 0};
    }

    /// What the record must hold for a renewal to be applied. Absent: not known.
    std::optional<std::int64_t> expected(std::string const& key, std::int64_t epoch) const {
        std::lock_guard const lock(mutex_);
        auto const found = known_.find(key);
        if (found == known_.end() || found->second.epoch != epoch) return std::nullopt;
        return found->second.count;
    }

    /// A renewal was sent that expected this count: it was applied, or perhaps.
    void sent(std::string const& key, std::int64_t epoch, std::int64_t expected, bool applied, bool perhaps) {
        std::lock_guard const lock(mutex_);
        auto const found = known_.find(key);
        if (found == known_.end() || found->second.epoch != epoch) return;
        if (found->second.count != expected) return;  // the lease was acquired again meanwhile
        if (applied)
            found->second = {epoch, found->second.count + 1, 0};
        else if (perhaps)
            ++found->second.perhaps;
    }

    /// Whether the handle's own renewals explain what was read; then it is what is known from now on.
    bool explains(std::string const& key, lease const& read) {
        std::lock_guard const lock(mutex_);
        auto const found = known_.find(key);
        if (found == known_.end() || found->second.epoch != read.epoch) return true;
        auto& known = found->second;
        if (read.renewals > known.count + known.perhaps) return false;
        // A lower one is an old view.
        if (read.renewals > known.count) known.perhaps -= read.renewals - known.count;
        known.count = std::max(known.count, read.renewals);
        return true;
    }

  private:
    struct counted {
        std::int64_t epoch = 0;
        std::int64_t count = 0;    // in the record, when it was last known
        std::int64_t perhaps = 0;  // renewals since then that may have been applied
    };
    mutable std::mutex mutex_;
    std::map<std::string, counted> known_;
};

}  // namespace minibatch::store::mongo
