#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "runtime/partition_context.hpp"

namespace minibatch::runtime {

using write_list = std::vector<std::pair<store::write_request, write_queue::write_done>>;

/// Has the records removed that a group has committed: along with saves of the progress once so many have piled up, and
/// a while after the last one. On the loop alone.
class log_trimmer : public std::enable_shared_from_this<log_trimmer> {
  public:
    /// All below `low_number` is committed.
    log_trimmer(partition_context const& context, std::int64_t low_number) : context_(context), stored_(low_number) {}

    /// All below `low_number` is committed in the store, or will be before what goes `with` it takes effect.
    void committed(std::int64_t low_number, write_list& with);
    /// Whether records below `low_number` were not asked to be removed yet, though this group does not keep them.
    bool owes(std::int64_t low_number) const;
    store::trim_request request() const;
    /// The lease is over: nothing is asked for any more.
    void end();

  private:
    void trim(write_list& with);
    void trim_alone();

    partition_context const& context_;
    std::int64_t stored_;       // below this record number all is committed in the store, as far as trimming sees it
    std::int64_t trimmed_ = 0;  // up to here removal was asked for
    std::unique_ptr<timer> due_;
    bool ended_ = false;
};

}  // namespace minibatch::runtime
