#pragma once

#include <cstdint>
#include <map>

#include "store/progress.hpp"

namespace minibatch::windowing {

/// A set of offsets as disjoint ranges with gaps between them.
class range_set {
  public:
    void add(store::offset_range range);
    void remove(store::offset_range range);
    bool contains(std::int64_t offset) const;
    /// How many offsets of the range are in the set. Costs the number of ranges it meets.
    std::int64_t count(store::offset_range range) const;
    std::size_t size() const noexcept { return ranges_.size(); }
    /// Sorted: begin to end.
    std::map<std::int64_t, std::int64_t> const& ranges() const noexcept { return ranges_; }

  private:
    std::map<std::int64_t, std::int64_t> ranges_;
};

}  // namespace minibatch::windowing
