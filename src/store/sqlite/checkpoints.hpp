#pragma once

#include <memory>
#include <string>

#include "store/sqlite/connection.hpp"

namespace minibatch::store::sqlite {

/// Moves what was written from the write-ahead log into the database file, apart from the commits.
class checkpoints {
  public:
    explicit checkpoints(std::string path) : path_(std::move(path)) {}

    /// `log_bytes`: the size of the write-ahead log.
    void run(std::int64_t log_bytes, steady_time deadline);

  private:
    std::string path_;
    std::unique_ptr<connection> db_;
    std::int64_t done_ = 0;  // bytes of the log at the last checkpoint
};

}  // namespace minibatch::store::sqlite
