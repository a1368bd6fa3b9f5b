#include "store/sqlite/checkpoints.hpp"

#include <algorithm>
#include <utility>

namespace minibatch::store::sqlite {
namespace {

constexpr std::int64_t enough = 4 << 20;
constexpr std::int64_t too_much = 64 << 20;

}  // namespace

void checkpoints::run(std::int64_t log_bytes, steady_time deadline) {
    // A log that has shrunk was begun anew.
    auto const written = log_bytes >= done_ ? log_bytes - done_ : log_bytes;
    if (written < enough && log_bytes < too_much) return;
    bool const fresh = !db_;
    if (fresh) db_ = std::make_unique<connection>(path_);
    db_->start("checkpoint", deadline);
    // Until a connection has read something it does not know that there is a log, and checkpoints nothing.
    if (fresh) db_->query_integer("SELECT count(*) FROM sqlite_schema");
    auto const checkpoint = [&](int mode) {
        int const result = sqlite3_wal_checkpoint_v2(db_->handle(), "main", mode, nullptr, nullptr);
        if (result != SQLITE_OK && (result & 0xff) != SQLITE_BUSY) db_->fail(result);
        return result;
    };
    if (checkpoint(SQLITE_CHECKPOINT_PASSIVE) == SQLITE_OK) done_ = log_bytes;
    if (log_bytes < too_much) return;
    // Nearly all has been moved by now, but while this waits for readers it holds up writers: only for a moment.
    db_->start("checkpoint", std::min(deadline, std::chrono::steady_clock::now() + milliseconds(200)));
    if (checkpoint(SQLITE_CHECKPOINT_TRUNCATE) == SQLITE_OK) done_ = 0;
}

}  // namespace minibatch::store::sqlite
