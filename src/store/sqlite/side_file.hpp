#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include "store/store.hpp"

namespace minibatch::store::sqlite {

/// The file `<database>-minibatch`, through which the processes that use a database take turns at writing and wake one
/// another. SQLite's own locks remain what keeps the data right: losing this file costs fairness and speed only.
class side_file {
  public:
    explicit side_file(std::string const& database);
    ~side_file();
    side_file(side_file const&) = delete;
    side_file& operator=(side_file const&) = delete;

    std::string const& path() const noexcept { return path_; }

    /// Waits for the turn to write: fairly, since who waits holds the gate, and nobody passes it meanwhile. False when
    /// the deadline has passed.
    bool lock(steady_time deadline) noexcept;
    void unlock() noexcept;
    /// Counts one more write, which wakes the watchers of other handles. Only while locked.
    void touch() noexcept;

    /// Whether others have touched the file since the last call. Any thread.
    bool touched_by_others() noexcept;

  private:
    std::int64_t read_counter() const noexcept;

    std::string path_;
    int file_ = -1;
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
