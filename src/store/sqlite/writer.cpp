#include "store/sqlite/writer.hpp"

#include <algorithm>
#include <utility>

#include "store/sqlite/group_ops.hpp"
#include "store/sqlite/log_ops.hpp"
#include "store/sqlite/schema.hpp"

namespace minibatch::store::sqlite {
namespace {

/// After a failed COMMIT with another code nothing of the transaction can be on the disk as committed: it has not begun
/// to write (BUSY, INTERRUPT, CONSTRAINT), or its last frame, which commits it, is missing (FULL).
bool in_doubt(int result) noexcept {
    switch (result & 0xff) {
        case SQLITE_BUSY:
        case SQLITE_INTERRUPT:
        case SQLITE_CONSTRAINT:
        case SQLITE_FULL:
            return false;
        default:
            return true;
    }
}

bool may_be_one_job(error const& failure) {
    return failure.code() != errc::timeout && failure.code() != errc::unavailable &&
           failure.code() != errc::read_only && failure.code() != errc::outcome_unknown;
}

}  // namespace

writer::writer(open_files& files, bool synchronous_full, std::shared_ptr<clock> time, steady_time deadline)
    // The check comes first: no file is created beside another program's database.
    : synchronous_full_(synchronous_full),
      time_(std::move(time)),
      files_(files),
      db_(std::make_unique<connection>(files.path())),
      side_((db_->start("open", deadline), check_writable(*db_), check_schema(*db_), files.path())) {
    configure(*db_, synchronous_full_);
    // An existing database is opened without waiting for writers.
    if (check_schema(*db_) || !has_log(*db_)) {
        turn const own(side_, deadline);
        create_schema(*db_);
    }
    page_size_ = db_->query_integer("PRAGMA page_size");
    files_.adopt(*db_, open_files::which::all);
    attach();
}

writer::~writer() {
    // Closing the last connection moves the log into the database file. That must not happen to a log that is not known
    // to be on the disk: after a power cut it would hold less than the database file, and SQLite would take it for
    // newer.
    try {
        settle("close", std::chrono::steady_clock::now() + milliseconds(200));
    } catch (std::exception const&) {
        db_->leave_log();
    }
}

std::unique_ptr<connection> writer::connect() const {
    auto made = std::make_unique<connection>(files_.path(), connection::opening::existing);
    made->start_as(*db_);
    files_.check_opened(*made, made->operation());
    configure(*made, synchronous_full_);
    return made;
}

/// For a connection that is new.
void writer::attach() {
    seen_version_ = db_->query_integer("PRAGMA data_version");
    sqlite3_wal_hook(
        db_->handle(),
        [](void* self, sqlite3*, char const*, int pages) {
            static_cast<writer*>(self)->committed(pages);
            return SQLITE_OK;
        },
        this);
}

/// Sees to it that all commits in the log are on the disk, and that nothing else in it can be taken for one. It is not
/// known whether they are before the first write of a handle, since an earlier process may have ended after a failed
/// sync, and after a failed write or sync. Precondition: it is our turn.
log_index writer::settle_log() {
    bool const failed = log_ == log_status::in_doubt;
    if (failed) {
        // The new connection is opened before the old one is closed. So the index in shared memory stays, in which the
        // failed transaction is not; SQLite would otherwise make a new index from the log, and might find it there.
        auto fresh = connect();
        fresh->query_integer("SELECT count(*) FROM sqlite_schema");
        db_ = std::move(fresh);
        attach();
        seen_version_ = -1;  // it counts anew: somebody may have written meanwhile
    }
    sync_directory_of(files_.path());
    log_index found;
    if (failed || !side_.settled_by_others()) {
        transaction const alone(*db_, transaction::kind::write);  // which changes nothing
        write_ahead_log const log(*db_);
        found = log.index();
        log.rewrite();
        log.forget_checkpoints();
        log_pages_ = found.frames;
        moved_pages_ = 0;
        all_moved_ = false;
    }
    side_.settle();
    log_ = log_status::settled;
    return found;
}

void writer::note_failure(database_error const& failure) noexcept {
    if (in_doubt(failure.result())) doubt_log();
}

void writer::doubt_log() noexcept {
    log_ = log_status::in_doubt;
    side_.unsettle();
}

void writer::settle(char const* operation, steady_time deadline) {
    if (log_ != log_status::settled) access const own(*this, operation, deadline);
}

writer::access::access(writer& owner, char const* operation, steady_time deadline)
    : owner_(owner), mine_(owner.mutex_, std::defer_lock) {
    if (mine_.try_lock_until(deadline)) turn_.emplace(owner.side_, deadline);
    if (!turn_ || !turn_->held())
        throw error(errc::timeout, "database '" + owner.files_.path() + "', " + operation + ": " +
                                       (turn_ ? "another process holds the write lock, and has not released it within "
                                                "the time-out; is it stopped?"
                                              : "another thread of this process is writing"));
    owner.files_.check(operation);
    owner.db_->start(operation, deadline);
    if (owner.log_ != log_status::settled) owner.settle_log();
    changes_ = sqlite3_total_changes64(owner.db_->handle());
}

writer::access::~access() {
    if (turn_ && turn_->held() && sqlite3_total_changes64(owner_.db_->handle()) != changes_) owner_.side_.touch();
}

// NOLINTNEXTLINE(bugprone-exception-escape): without memory for the error the process must end.
void writer::write(std::span<write_job> jobs, steady_time deadline) noexcept {
    try {
        access const own(
            *this, jobs.size() == 1 && std::holds_alternative<append_request>(jobs[0].request) ? "append" : "write",
            deadline);
        auto const doubts = doubts_;
        auto const together = attempt(jobs);
        if (!together) return;
        bool one_by_one = jobs.size() > 1 && may_be_one_job(*together);
        for (auto& job : jobs) {
            // A device that fails is not the fault of a job, unless the job is too large for it.
            one_by_one = one_by_one && log_ == log_status::settled &&
                         (doubts_ == doubts || together->code() == errc::storage_full);
            auto const failure = one_by_one ? attempt({&job, 1}) : together;
            if (failure) job.result = *failure;
        }
    } catch (error const& failure) {
        for (auto& job : jobs) job.result = failure;
    } catch (std::exception const& failure) {
        for (auto& job : jobs) job.result = error(errc::store_failure, failure.what());
    }
}

/// The jobs as one transaction. Their results count only if nothing is returned.
std::optional<error> writer::attempt(std::span<write_job> jobs) {
    try {
        transact([&](connection& db) {
            auto const now = time_->system_now();
            for (auto& job : jobs) try {
                    job.result = carry_out(db, job.request, now);
                } catch (database_error const&) {
                    throw;
                } catch (error const& refused) {
                    job.result = refused;  // it has changed nothing
                }
        });
        return std::nullopt;
    } catch (error const& failure) {
        return failure;
    } catch (std::exception const& failure) {  // for example out of memory: only this attempt has failed
        return error(errc::store_failure, failure.what());
    }
}

/// A commit into files that have lost their names is none: nobody else will find it.
void writer::confirm(char const* operation) {
    if (auto const lost = files_.lost(operation))
        throw error(errc::outcome_unknown, lost->diagnostics() + "; it is not known whether the last change is kept");
}

void writer::save_lost_log(steady_time deadline) noexcept {
    std::unique_lock mine(mutex_, std::defer_lock);
    if (!mine.try_lock_until(deadline)) return;
    turn const own(side_, deadline);
    if (!own.held() || !files_.only_log_lost() || log_ == log_status::in_doubt) return;
    db_->start("checkpoint", deadline);
    sqlite3_wal_checkpoint_v2(db_->handle(), "main", SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
}

/// All of `work` is durable when this returns, and nothing of it is stored when this throws, but for
/// errc::outcome_unknown. Precondition: it is our turn.
void writer::transact(std::function<void(connection&)> const& work) {
    std::optional<error> problem;
    log_index before;
    bool committing = false;
    try {
        transaction writing(*db_, transaction::kind::write);
        before = write_ahead_log(*db_).index();
        work(*db_);
        committing = true;
        writing.commit();
        committing = false;
    } catch (database_error const& failure) {
        if (!committing || !in_doubt(failure.result())) throw;
        problem = failure;
    } catch (std::exception const& failure) {
        if (!committing) throw;
        problem = error(errc::store_failure, failure.what());
    }
    if (problem) resolve(*problem, before);
    confirm(db_->operation());
}

/// Finds out what has become of a transaction whose COMMIT failed; `before` is the state of the log when it began.
void writer::resolve(error const& problem, log_index const& before) {
    doubt_log();
    ++doubts_;
    auto const unknown = [&](std::string const& why) {
        return error(errc::outcome_unknown, problem.diagnostics() + "; whether it took effect is not known: " + why);
    };
    log_index now;
    try {
        now = settle_log();
    } catch (error const& failure) {
        throw unknown(failure.diagnostics());
    } catch (std::exception const& failure) {
        throw unknown(failure.what());
    }
    // The log may have begun anew with this transaction.
    bool const same = now.changes == before.changes && now.frames == before.frames && now.salt == before.salt;
    bool const empty = now.changes == before.changes && now.frames == 0;
    if (!same && !empty) throw unknown("the log has changed meanwhile");
    throw error(problem.code(), problem.diagnostics() + "; nothing of it is stored");
}

write_result writer::carry_out(connection& on, write_request const& request, time_ms now) {
    struct visitor {
        connection& db;
        time_ms now;
        write_result operator()(append_request const& it) const { return append(db, it, now); }
        write_result operator()(seal_request const& it) const { return seal(db, it, now); }
        write_result operator()(acquire_request const& it) const { return acquire(db, it, now); }
        write_result operator()(trim_request const& it) const { return trim(db, it, now); }
        write_result operator()(renew_request const& it) const { return renew(db, it, now), done{}; }
        write_result operator()(release_request const& it) const { return release(db, it), done{}; }
        write_result operator()(commit_request const& it) const { return commit(db, it, now), done{}; }
    };
    return std::visit(visitor{on, now}, request);
}

std::int64_t writer::unmoved_bytes() const noexcept {
    std::int64_t const pages = log_pages_;
    std::int64_t const moved = moved_pages_;
    return (pages - std::min(moved, pages)) * page_size_;
}

void writer::committed(int pages) noexcept {
    // Only the first commit after a complete checkpoint may restart the log, and not while a reader needs the old one.
    if (std::exchange(all_moved_, false)) {
        auto const run = log_run();
        if (std::exchange(log_run_, run) != run) moved_pages_ = 0;
    }
    log_pages_ = pages;
}

/// The number in the header of the write-ahead log that each restart increments.
std::uint32_t writer::log_run() noexcept {
    constexpr sqlite3_int64 place = 12;
    std::uint32_t run = 0;
    sqlite3_file* log = nullptr;
    if (sqlite3_file_control(db_->handle(), "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) == SQLITE_OK && log &&
        log->pMethods)
        log->pMethods->xRead(log, &run, sizeof run, place);
    return run;
}

void writer::finish_checkpoint(int mode, steady_time deadline) {
    access const own(*this, "checkpoint", deadline);
    int pages = 0;
    int moved = 0;
    int const result = sqlite3_wal_checkpoint_v2(db_->handle(), "main", mode, &pages, &moved);
    if (result != SQLITE_OK && (result & 0xff) != SQLITE_BUSY) try {
            db_->fail(result);
        } catch (database_error const& failure) {
            note_failure(failure);
            throw;
        }
    if (moved < 0) return;
    moved_pages_ = moved;
    all_moved_ = moved == pages;
    log_run_ = log_run();
}

bool writer::changed_by_others() noexcept {
    std::unique_lock const lock(mutex_, std::try_to_lock);
    if (!lock) return false;
    try {
        // The commits of this connection do not change its data_version.
        db_->start("watch", std::chrono::steady_clock::now() + milliseconds(50));
        auto const version = db_->query_integer("PRAGMA data_version");
        return std::exchange(seen_version_, version) != version;
    } catch (std::exception const&) {
        return false;
    }
}

}  // namespace minibatch::store::sqlite
