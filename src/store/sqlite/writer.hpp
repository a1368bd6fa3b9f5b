#pragma once

#include <atomic>
#include <chrono>
#include <concepts>
#include <mutex>
#include <span>
#include <string>

#include "store/sqlite/connection.hpp"
#include "store/sqlite/open_files.hpp"
#include "store/sqlite/side_file.hpp"
#include "store/sqlite/timed_lock.hpp"

namespace minibatch::store::sqlite {

/// The one connection of a handle that writes. Each call waits for its turn, among the threads of this process and
/// among the processes, and wakes the others when it has changed something.
class writer {
  public:
    writer(open_files& files, bool synchronous_full, std::shared_ptr<clock> time, steady_time deadline);

    /// One transaction of its own: `work(connection)`.
    template <std::invocable<connection&> Work>
    auto run(char const* operation, steady_time deadline, Work const& work) {
        access const own(*this, operation, deadline);
        transaction writing(db_, transaction::kind::write);
        if constexpr (std::is_void_v<decltype(work(db_))>) {
            work(db_);
            writing.commit();
            confirm(operation);
        } else {
            auto result = work(db_);
            writing.commit();
            confirm(operation);
            return result;
        }
    }

    /// All jobs as one transaction; one by one if that fails for a reason that may be one job's alone.
    // NOLINTNEXTLINE(bugprone-exception-escape)
    void write(std::span<write_job> jobs, steady_time deadline) noexcept;

    /// Whether others have changed the database since the last call; false as well while this process is writing.
    bool changed_by_others() noexcept;

    side_file& side() noexcept { return side_; }
    open_files& files() noexcept { return files_; }
    /// After the log's name was removed: moves what the log holds into the database file, where it can be found again.
    void save_lost_log(steady_time deadline) noexcept;
    /// Bytes of the write-ahead log, as of the last commit.
    std::int64_t log_bytes() const noexcept { return log_pages_ * page_size_; }
    /// Those of them that are not known to be in the database file, too.
    std::int64_t unmoved_bytes() const noexcept;
    /// So many pages at the beginning of the log are in the database file.
    void note_moved(std::int64_t pages) noexcept { moved_pages_ = pages; }
    /// Moves the rest of the log, while nobody can write; when all is moved, the next commit begins it anew.
    void finish_checkpoint(int mode, steady_time deadline);

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

    std::optional<error> unconfirmed(char const* operation);
    void confirm(char const* operation);
    void committed(int pages) noexcept;
    std::uint32_t log_run() noexcept;
    std::optional<error> attempt(std::span<write_job> jobs);
    void attempt_each(std::span<write_job> jobs, error const& together);
    write_result carry_out(write_request const& request, time_ms now);
    std::optional<bool> stored(std::span<write_job const> jobs);

    std::shared_ptr<clock> time_;
    open_files& files_;
    timed_lock mutex_;
    connection db_;
    side_file side_;
    std::int64_t seen_version_ = 0;
    std::int64_t page_size_ = 4096;
    std::atomic<std::int64_t> log_pages_ = 0;
    std::atomic<std::int64_t> moved_pages_ = 0;
    bool all_moved_ = false;     // by the last checkpoint, before the next commit
    std::uint32_t log_run_ = 0;  // at that checkpoint
};

}  // namespace minibatch::store::sqlite
