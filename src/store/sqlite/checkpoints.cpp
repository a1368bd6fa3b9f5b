#include "store/sqlite/checkpoints.hpp"

#include <algorithm>
#include <optional>

namespace minibatch::store::sqlite {
namespace {

constexpr std::int64_t enough = 4 << 20;
constexpr std::int64_t little = 1 << 20;
constexpr std::int64_t much = 32 << 20;
constexpr std::int64_t too_much = 64 << 20;
/// Under load there is some time between two checkpoints: what is removed again soon is then never moved.
constexpr milliseconds spacing{50};

/// While a checkpoint runs, nobody may begin the log anew: before SQLite 3.51.3 the checkpoint may then note pages of
/// the new log as moved that never were (https://www.sqlite.org/wal.html#walresetbug). Some older releases have the
/// fix.
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
    // Writers that are faster than this go on making the log longer, up to a limit.
    if (writing_.unmoved_bytes() > little && writing_.log_bytes() < much) return;
    // Readers of old states are waited for only when the log has become very long because of them.
    auto const mode = writing_.log_bytes() >= too_much ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE;
    writing_.finish_checkpoint(mode, std::min(deadline, std::chrono::steady_clock::now() + milliseconds(200)));
    not_before_ = std::chrono::steady_clock::now() + spacing;
}

/// Nearly everything is moved while others write, in rounds that get shorter; only the rest holds them up.
void checkpoints::move_most(steady_time deadline) {
    use(db_, deadline);
    if (log_must_not_restart()) use(reader_, deadline);
    for (int round = 0; round < 4 && writing_.unmoved_bytes() > little; ++round) {
        // Who reads from the log keeps it from being begun anew, in all processes. Who reads the database file alone,
        // since all is moved, keeps the checkpoint from moving anything.
        std::optional<transaction> reading;
        if (reader_) {
            reading.emplace(*reader_, transaction::kind::read);
            reader_->query_integer("SELECT count(*) FROM sqlite_schema");
        }
        int moved = 0;
        int const result = sqlite3_wal_checkpoint_v2(db_->handle(), "main", SQLITE_CHECKPOINT_PASSIVE, nullptr, &moved);
        if ((result & 0xff) == SQLITE_BUSY) return;  // another process is at it
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
    // Until a connection has read something it does not know that there is a log, and checkpoints nothing.
    if (fresh) which->query_integer("SELECT count(*) FROM sqlite_schema");
}

}  // namespace minibatch::store::sqlite
