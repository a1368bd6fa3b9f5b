#pragma once

#include <optional>

#include "windowing/pending_log.hpp"

namespace minibatch::windowing {

/// Finds where count or bytes close the first window. Remembers how far it has looked, so that a window of many small
/// segments is not counted again from its beginning with each new one.
class scanner {
  public:
    struct found {
        std::int64_t count;
        window_reason reason;
    };

    /// With `barrier` a window that is bounded by bytes ends where messages are missing, since it ended there before
    /// these were committed, too.
    scanner(std::optional<std::int64_t> count, std::optional<std::int64_t> bytes, bool barrier)
        : count_(count), bytes_(bytes), barrier_(barrier) {}

    std::optional<found> find(pending_log const& pending);

  private:
    std::optional<std::int64_t> count_;
    std::optional<std::int64_t> bytes_;
    bool barrier_;
    std::uint64_t removals_ = 0;
    std::size_t runs_seen_ = 0;
    std::int64_t count_seen_ = 0;
    std::int64_t bytes_seen_ = 0;
};

}  // namespace minibatch::windowing
