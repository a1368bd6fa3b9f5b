#pragma once

#include <atomic>
#include <chrono>
#include <concepts>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "store/sqlite/connection.hpp"
#include "store/sqlite/open_files.hpp"
#include "store/sqlite/side_file.hpp"
#include "store/sqlite/timed_lock.hpp"
#include "store/sqlite/write_ahead_log.hpp"

namespace minibatch::store::sqlite {

/// The only connection of a handle that writes. Each call waits for its turn, among the threads of this process and
/// among processes, and notifies the others after a change.
///
/// A write or sync that fails within a COMMIT leaves open what the disk holds. The connection is then replaced by a new
/// one, and the log is written once more before anything else is written: see `settle_log`. After that the transaction
/// is certainly not stored, and its error says so. As long as that does not succeed the outcome is unknown, and every
/// further call tries it first.
class writer {
  public:
    writer(open_files& files, bool synchronous_full, std::shared_ptr<clock> time, steady_time deadline);
    ~writer();

    /// One transaction of its own: `work(connection)`. errc::outcome_unknown if it may or may not have been stored.
    template <std::invocable<connection&> Work>
    auto run(char const* operation, steady_time deadline, Work const& work) {
        access const own(*this, operation, deadline);
        if constexpr (std::is_void_v<decltype(work(*db_))>) {
            transact(work);
        } else {
            std::optional<decltype(work(*db_))> result;
            transact([&](connection& db) { result.emplace(work(db)); });
            return std::move(*result);
        }
    }

    /// Carries out all jobs in one transaction, or one by one if that fails and a single job may be the cause.
    // NOLINTNEXTLINE(bugprone-exception-escape)
    void write(std::span<write_job> jobs, steady_time deadline) noexcept;

    /// Whether others have changed the database since the last call. Also false while this process is writing.
    bool changed_by_others() noexcept;

    side_file& side() noexcept { return side_; }
    open_files& files() noexcept { return files_; }
    /// After the log's name was removed: moves what the log holds into the database file, where it can be found again.
    void save_lost_log(steady_time deadline) noexcept;
    /// Size of the write-ahead log as of the last commit, in bytes.
    std::int64_t log_bytes() const noexcept { return log_pages_ * page_size_; }
    /// How much of it is not known to be in the database file, in bytes.
    std::int64_t unmoved_bytes() const noexcept;
    /// Records that the first `pages` pages of the log are in the database file.
    void note_moved(std::int64_t pages) noexcept { moved_pages_ = pages; }
    /// Copies the rest of the log while nobody can write. Once all is copied, the next commit restarts the log.
    void finish_checkpoint(int mode, steady_time deadline);
    /// Another connection of this handle has failed. If it may have left something half done on the disk, the log is
    /// settled before it is used again.
    void note_failure(database_error const& failure) noexcept;
    /// Returns at once if the log is settled.
    void settle(char const* operation, steady_time deadline);

  private:
    class access {
      public:
        access(writer& owner, char const* operation, steady_time deadline);
        ~access();

      private:
        writer& owner_;
        std::unique_lock<timed_lock> mine_;
        std::optional<turn> turn_;
        std::int64_t changes_ = 0;
    };

    enum class log_status {
        settled,
        unknown,   // what the processes before have left
        in_doubt,  // a write or sync has failed
    };

    std::unique_ptr<connection> connect() const;
    void attach();
    log_index settle_log();
    void doubt_log() noexcept;
    void transact(std::function<void(connection&)> const& work);
    [[noreturn]] void resolve(error const& problem, log_index const& before);
    void confirm(char const* operation);
    void committed(int pages) noexcept;
    std::uint32_t log_run() noexcept;
    std::optional<error> attempt(std::span<write_job> jobs);
    static write_result carry_out(connection& db, write_request const& request, time_ms now);

    bool const synchronous_full_;
    std::shared_ptr<clock> time_;
    open_files& files_;
    timed_lock mutex_;
    std::unique_ptr<connection> db_;
    side_file side_;
    std::atomic<log_status> log_ = log_status::unknown;
    std::uint64_t doubts_ = 0;  // commits that left it open what was stored
    std::int64_t seen_version_ = 0;
    std::int64_t page_size_ = 4096;
    std::atomic<std::int64_t> log_pages_ = 0;
    std::atomic<std::int64_t> moved_pages_ = 0;
    bool all_moved_ = false;     // by the last checkpoint, and no commit since
    std::uint32_t log_run_ = 0;  // as of that checkpoint
};

}  // namespace minibatch::store::sqlite
