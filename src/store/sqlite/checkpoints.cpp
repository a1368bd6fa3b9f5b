#include "store/sqlite/checkpoints.hpp"

#include <algorithm>

namespace minibatch::store::sqlite {
namespace {

constexpr std::int64_t enough = 4 << 20;
constexpr std::int64_t little = 1 << 20;
constexpr std::int64_t much = 32 << 20;
constexpr std::int64_t too_much = 64 << 20;
/// Under load there is some time between two checkpoints: what is removed again soon is then never moved.
constexpr milliseconds spacing{50};

}  // namespace

bool checkpoints::due() const noexcept {
    auto const bytes = writing_.unmoved_bytes();
    return bytes >= much || (bytes >= enough && std::chrono::steady_clock::now() >= not_before_.load());
}

void checkpoints::run(steady_time deadline) {
    if (!due()) return;
    bool const fresh = !db_;
    if (fresh) {
        auto opened = std::make_unique<connection>(path_, connection::opening::existing);
        writing_.files().check_opened(*opened, "checkpoint");
        db_ = std::move(opened);
    }
    db_->start("checkpoint", deadline);
    // Until a connection has read something it does not know that there is a log, and checkpoints nothing.
    if (fresh) db_->query_integer("SELECT count(*) FROM sqlite_schema");
    // Nearly everything is moved while others write, in rounds that get shorter; only the rest holds them up.
    for (int round = 0; round < 4 && writing_.unmoved_bytes() > little; ++round) {
        int moved = 0;
        int const result = sqlite3_wal_checkpoint_v2(db_->handle(), "main", SQLITE_CHECKPOINT_PASSIVE, nullptr, &moved);
        if ((result & 0xff) == SQLITE_BUSY) return;  // another process is at it
        if (result != SQLITE_OK) db_->fail(result);
        writing_.note_moved(moved);
    }
    // Writers that are faster than this go on making the log longer, up to a limit.
    if (writing_.unmoved_bytes() > little && writing_.log_bytes() < much) return;
    // Readers of old states are waited for only when the log has become very long because of them.
    auto const mode = writing_.log_bytes() >= too_much ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE;
    writing_.finish_checkpoint(mode, std::min(deadline, std::chrono::steady_clock::now() + milliseconds(200)));
    not_before_ = std::chrono::steady_clock::now() + spacing;
}

}  // namespace minibatch::store::sqlite
