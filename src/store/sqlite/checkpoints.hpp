#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "store/sqlite/writer.hpp"

namespace minibatch::store::sqlite {

/// Moves what was written from the write-ahead log into the database file, beside the commits. The log is begun anew
/// again and again instead of being cut off: overwriting a file costs a commit half of what making it longer costs.
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
    std::unique_ptr<connection> reader_;  // only with versions of SQLite that need it
    std::atomic<steady_time> not_before_{};
};

}  // namespace minibatch::store::sqlite
