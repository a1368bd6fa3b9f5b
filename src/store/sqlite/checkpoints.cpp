#include "store/sqlite/checkpoints.hpp"

#include <algorithm>
#include <optional>

namespace minibatch::store::sqlite {
namespace {

constexpr std::int64_t enough = 4 << 20;
constexpr std::int64_t little = 1 << 20;
constexpr std::int64_t much = 32 << 20;
constexpr std::int64_t too_much = 64 << 20;
/// Minimum time between two checkpoints under load: pages that are soon removed again need not be copied.
constexpr milliseconds spacing{50};

/// Whether the log must not be restarted while a checkpoint runs. Before SQLite 3.51.3 the checkpoint may then record
/// pages of the new log as copied that were not (https://www.sqlite.org/wal.html#walresetbug). Some older release lines
/// have the fix, too.
bool log_must_not_restart() noexcept {
    int const version = sqlite3_libversion_number();
    auto const within = [version](int first, int end) { return version >= first && version < end; };
    return !(version >= 3'051'003 || within(3'050'007, 3'051'000) || within(3'044'006, 3'045'000));
}

}  // namespace

bool checkpoints::due() const noexcept {
    auto const bytes = writing_.unmoved_bytes();
    return bytes >= much || (bytes >= enough && std::chrono::steady_clock::now() >= not_before_.load());
}

void checkpoints::run(steady_time deadline) {
    if (!due()) return;
    writing_.settle("checkpoint", deadline);
    try {
        move_most(deadline);
    } catch (database_error const& failure) {
        db_.reset();
        reader_.reset();
        writing_.note_failure(failure);
        throw;
    }
    // If writers are faster than the checkpoint, the log may grow up to a limit.
    if (writing_.unmoved_bytes() > little && writing_.log_bytes() < much) return;
    // Wait for readers of old snapshots only if they have made the log very long.
    auto const mode = writing_.log_bytes() >= too_much ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE;
    writing_.finish_checkpoint(mode, std::min(deadline, std::chrono::steady_clock::now() + milliseconds(200)));
    not_before_ = std::chrono::steady_clock::now() + spacing;
}

/// Copies most of the log while others write, in rounds that get shorter. Only the remainder blocks them.
void checkpoints::move_most(steady_time deadline) {
    use(db_, deadline);
    if (log_must_not_restart()) use(reader_, deadline);
    for (int round = 0; round < 4 && writing_.unmoved_bytes() > little; ++round) {
        // A transaction that reads from the log prevents its restart, by all processes. If everything has been copied
        // already, the transaction reads the database file alone, and prevents the checkpoint from copying instead.
        std::optional<transaction> reading;
        if (reader_) {
            reading.emplace(*reader_, transaction::kind::read);
            reader_->query_integer("SELECT count(*) FROM sqlite_schema");
        }
        int moved = 0;
        int const result = sqlite3_wal_checkpoint_v2(db_->handle(), "main", SQLITE_CHECKPOINT_PASSIVE, nullptr, &moved);
        if ((result & 0xff) == SQLITE_BUSY) return;  // another process runs one
        if (result != SQLITE_OK) db_->fail(result);
        writing_.note_moved(moved);
    }
}

void checkpoints::use(std::unique_ptr<connection>& which, steady_time deadline) const {
    bool const fresh = !which;
    if (fresh) {
        auto opened = std::make_unique<connection>(path_, connection::opening::existing);
        writing_.files().check_opened(*opened, "checkpoint");
        which = std::move(opened);
    }
    which->start("checkpoint", deadline);
    // A connection that has not read yet does not know of the log, and its checkpoints do nothing.
    if (fresh) which->query_integer("SELECT count(*) FROM sqlite_schema");
}

}  // namespace minibatch::store::sqlite
