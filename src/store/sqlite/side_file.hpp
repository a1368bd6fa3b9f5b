#pragma once

#include <sys/types.h>

#include <cstdint>
#include <mutex>
#include <string>

#include "store/store.hpp"

namespace minibatch::store::sqlite {

/// The file `<database>-minibatch`, through which the processes that use a database take turns at writing and wake one
/// another. SQLite's own locks keep the data correct: without this file only fairness and speed are lost.
///
/// Its owner, group and mode follow those of the database, as far as this process may change them, so that whoever may
/// write to the database may use it.
class side_file {
  public:
    /// Opens the file, or makes it. Throws errc::not_a_database if something else has its name: a symbolic link, no
    /// regular file, one with a second name, or one of a user who may not write to the database.
    explicit side_file(std::string const& database);
    ~side_file();
    side_file(side_file const&) = delete;
    side_file& operator=(side_file const&) = delete;

    std::string const& path() const noexcept { return path_; }

    /// Waits for the turn to write. The order is fair: a waiting process holds the gate, which nobody passes meanwhile.
    /// False when the deadline has passed.
    bool lock(steady_time deadline) noexcept;
    void unlock() noexcept;
    /// Counts one more write, which wakes the watchers of other handles. Only while locked.
    void touch() noexcept;

    /// Whether another handle has called `settle` and is still there. Only while locked.
    bool settled_by_others() const noexcept;
    /// From now on, and as long as it lives, this handle answers for the write-ahead log: it has made sure that what
    /// the log holds is on the disk. Only while locked.
    void settle() noexcept;
    /// Takes it back, after a failure.
    void unsettle() noexcept;

    /// Whether others have touched the file since the last call. Any thread.
    bool touched_by_others() noexcept;

    /// Opens the file again, or makes it, if its name does not lead to it any more. True if it did so. Any thread.
    bool restore() noexcept;

  private:
    std::int64_t read_counter() const noexcept;

    std::string const database_;
    std::string const path_;
    int file_ = -1;  // the number stays the same when the file is opened again
    std::mutex mutex_;
    std::int64_t known_ = 0;  // the counter up to which all touches are our own or have been reported
    bool others_ = false;
};

/// Holds the turn.
class turn {
  public:
    turn(side_file& side, steady_time deadline) noexcept : side_(side), held_(side.lock(deadline)) {}
    ~turn() {
        if (held_) side_.unlock();
    }
    turn(turn const&) = delete;
    turn& operator=(turn const&) = delete;
    bool held() const noexcept { return held_; }

  private:
    side_file& side_;
    bool held_;
};

}  // namespace minibatch::store::sqlite
