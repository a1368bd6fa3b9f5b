#pragma once

#include <atomic>
#include <memory>
#include <minibatch/document.hpp>
#include <string_view>

#include "api/database_core.hpp"

namespace minibatch::detail {

/// The state shared by the copies of a stream handle.
class stream_core {
  public:
    stream_core(std::shared_ptr<database_core> owner, store::stream_record opened)
        : db(std::move(owner)), record(std::move(opened)) {}

    std::shared_ptr<database_core> const db;
    store::stream_record const record;

    /// Returns the partition for a key. Without a key the partitions take turns.
    int choose(std::string_view key);

  private:
    std::atomic<unsigned> turn_ = 0;
};

}  // namespace minibatch::detail
