#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "store/sqlite/writer.hpp"

namespace minibatch::store::sqlite {

/// Runs checkpoints, which copy the write-ahead log into the database file, while commits go on. The log is overwritten
/// from its start instead of being truncated: a commit that overwrites a file costs half of one that extends it.
class checkpoints {
  public:
    checkpoints(std::string path, writer& writing) : path_(std::move(path)), writing_(writing) {}

    bool due() const noexcept;
    void run(steady_time deadline);

  private:
    void move_most(steady_time deadline);
    void use(std::unique_ptr<connection>& which, steady_time deadline) const;

    std::string path_;
    writer& writing_;
    std::unique_ptr<connection> db_;
    std::unique_ptr<connection> reader_;  // only for versions of SQLite that need it
    std::atomic<steady_time> not_before_{};
};

}  // namespace minibatch::store::sqlite
