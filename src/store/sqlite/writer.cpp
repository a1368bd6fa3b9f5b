#include "store/sqlite/writer.hpp"

#include <algorithm>
#include <utility>

#include "store/sqlite/group_ops.hpp"
#include "store/sqlite/log_ops.hpp"
#include "store/sqlite/schema.hpp"

namespace minibatch::store::sqlite {
namespace {

/// After a failed COMMIT of this kind, what is on the disk is not known.
bool in_doubt(int result) noexcept { return (result & 0xff) == SQLITE_IOERR; }

bool may_be_one_job(error const& failure) {
    return failure.code() != errc::timeout && failure.code() != errc::unavailable && failure.code() != errc::read_only;
}

}  // namespace

writer::writer(open_files& files, bool synchronous_full, std::shared_ptr<clock> time, steady_time deadline)
    // The check comes first, so that no file appears beside one that is none of ours.
    : time_(std::move(time)),
      files_(files),
      db_(files.path()),
      side_((db_.start("open", deadline), check_writable(db_), check_schema(db_), files.path())) {
    configure(db_, synchronous_full);
    // What is there already is opened without waiting for those who write.
    if (check_schema(db_) || !has_log(db_)) {
        turn const own(side_, deadline);
        create_schema(db_);
    }
    page_size_ = db_.query_integer("PRAGMA page_size");
    seen_version_ = db_.query_integer("PRAGMA data_version");
    files_.adopt(db_, open_files::which::all);
    sqlite3_wal_hook(
        db_.handle(),
        [](void* self, sqlite3*, char const*, int pages) {
            static_cast<writer*>(self)->committed(pages);
            return SQLITE_OK;
        },
        this);
}

writer::access::access(writer& owner, char const* operation, steady_time deadline)
    : owner_(owner), mine_(owner.mutex_, std::defer_lock) {
    if (mine_.try_lock_until(deadline)) turn_.emplace(owner.side_, deadline);
    if (!turn_ || !turn_->held())
        throw error(errc::timeout, "database '" + owner.db_.path() + "', " + operation +
                                       ": the database is locked by " + (turn_ ? "another process" : "another thread"));
    owner.files_.check(operation);
    owner.db_.start(operation, deadline);
    changes_ = sqlite3_total_changes64(owner.db_.handle());
}

writer::access::~access() {
    if (turn_ && turn_->held() && sqlite3_total_changes64(owner_.db_.handle()) != changes_) owner_.side_.touch();
}

// NOLINTNEXTLINE(bugprone-exception-escape): without memory to tell of a failure there is no way on.
void writer::write(std::span<write_job> jobs, steady_time deadline) noexcept {
    try {
        access const own(
            *this, jobs.size() == 1 && std::holds_alternative<append_request>(jobs[0].request) ? "append" : "write",
            deadline);
        if (auto const failure = attempt(jobs)) attempt_each(jobs, *failure);
    } catch (error const& failure) {
        for (auto& job : jobs) job.result = failure;
    } catch (std::exception const& failure) {
        for (auto& job : jobs) job.result = error(errc::store_failure, failure.what());
    }
}

void writer::attempt_each(std::span<write_job> jobs, error const& together) {
    bool const alone = jobs.size() > 1 && may_be_one_job(together) && together.code() != errc::outcome_unknown;
    for (auto& job : jobs) {
        auto const failure = alone ? attempt({&job, 1}) : std::optional(together);
        if (failure) job.result = *failure;
    }
}

/// A commit into files that have lost their names is none: nobody else will find it.
std::optional<error> writer::unconfirmed(char const* operation) {
    auto const lost = files_.lost(operation);
    if (!lost) return std::nullopt;
    return error(errc::outcome_unknown, lost->diagnostics() + "; it is not known whether the last change is kept");
}

void writer::confirm(char const* operation) {
    if (auto const problem = unconfirmed(operation)) throw error(*problem);
}

void writer::save_lost_log(steady_time deadline) noexcept {
    std::unique_lock mine(mutex_, std::defer_lock);
    if (!mine.try_lock_until(deadline)) return;
    turn const own(side_, deadline);
    if (!own.held() || !files_.only_log_lost()) return;
    db_.start("checkpoint", deadline);
    sqlite3_wal_checkpoint_v2(db_.handle(), "main", SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
}

std::optional<error> writer::attempt(std::span<write_job> jobs) {
    bool committing = false;
    bool unknown = false;
    std::optional<error> problem;
    try {
        transaction writing(db_, transaction::kind::write);
        auto const now = time_->system_now();
        for (auto& job : jobs) try {
                job.result = carry_out(job.request, now);
            } catch (database_error const&) {
                throw;
            } catch (error const& refused) {
                job.result = refused;  // nothing was changed for it
            }
        committing = true;
        writing.commit();
        return unconfirmed(db_.operation());
    } catch (database_error const& failure) {
        problem = failure;
        unknown = committing && in_doubt(failure.result());
    } catch (std::exception const& failure) {  // out of memory, say: this attempt alone has failed
        problem = error(errc::store_failure, failure.what());
        unknown = committing;
    }
    if (!unknown) return problem;
    auto const found = stored(jobs);
    if (!found)
        return error(errc::outcome_unknown, problem->diagnostics() + "; whether it took effect could not be found out");
    return *found ? std::nullopt : problem;
}

/// Whether the transaction of the jobs, whose COMMIT failed, is in the database. They all are, or none is; what can be
/// repeated without harm needs no answer. Nothing if the database cannot be read. Precondition: it is still our turn.
std::optional<bool> writer::stored(std::span<write_job const> jobs) {
    try {
        if (!sqlite3_get_autocommit(db_.handle())) db_.execute("ROLLBACK");
        for (auto const& job : jobs) {
            if (std::holds_alternative<error>(job.result)) continue;
            if (auto const* const added = std::get_if<append_request>(&job.request); added && !added->batch.empty()) {
                auto const& result = std::get<append_result>(job.result);
                return batch_at(db_, added->log, result.number) == added->batch;
            }
            if (auto const* const moved = std::get_if<commit_request>(&job.request)) return holds(db_, *moved);
        }
        return false;
    } catch (error const&) {
        return std::nullopt;
    }
}

write_result writer::carry_out(write_request const& request, time_ms now) {
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
    return std::visit(visitor{db_, now}, request);
}

std::int64_t writer::unmoved_bytes() const noexcept {
    std::int64_t const pages = log_pages_;
    std::int64_t const moved = moved_pages_;
    return (pages - std::min(moved, pages)) * page_size_;
}

void writer::committed(int pages) noexcept {
    // A log is begun anew only by the first commit after all of it was moved, and not if a reader needed the old one.
    if (std::exchange(all_moved_, false)) {
        auto const run = log_run();
        if (std::exchange(log_run_, run) != run) moved_pages_ = 0;
    }
    log_pages_ = pages;
}

/// The number in the header of the write-ahead log that each new beginning increments.
std::uint32_t writer::log_run() noexcept {
    constexpr sqlite3_int64 place = 12;
    std::uint32_t run = 0;
    sqlite3_file* log = nullptr;
    if (sqlite3_file_control(db_.handle(), "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) == SQLITE_OK && log &&
        log->pMethods)
        log->pMethods->xRead(log, &run, sizeof run, place);
    return run;
}

void writer::finish_checkpoint(int mode, steady_time deadline) {
    access const own(*this, "checkpoint", deadline);
    int pages = 0;
    int moved = 0;
    int const result = sqlite3_wal_checkpoint_v2(db_.handle(), "main", mode, &pages, &moved);
    if (result != SQLITE_OK && (result & 0xff) != SQLITE_BUSY) db_.fail(result);
    if (moved < 0) return;
    moved_pages_ = moved;
    all_moved_ = moved == pages;
    log_run_ = log_run();
}

bool writer::changed_by_others() noexcept {
    std::unique_lock const lock(mutex_, std::try_to_lock);
    if (!lock) return false;
    try {
        // This connection's own commits leave its data_version as it is.
        db_.start("watch", std::chrono::steady_clock::now() + milliseconds(50));
        auto const version = db_.query_integer("PRAGMA data_version");
        return std::exchange(seen_version_, version) != version;
    } catch (std::exception const&) {
        return false;
    }
}

}  // namespace minibatch::store::sqlite
