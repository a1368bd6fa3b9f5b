#pragma once

#include <sys/types.h>

#include <atomic>
#include <minibatch/error.hpp>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "store/types.hpp"

namespace minibatch::store::sqlite {

class connection;

/// The file that a database URL names.
struct database_path {
    std::string given;  // as named, absolute
    std::string file;   // without symbolic links; SQLite and the library put their files beside this one
};

/// Checks that the names of an open database still lead to the files that are open. SQLite keeps using its open files
/// after they were removed, moved or replaced; what it commits then is not in the database any more.
///
/// Once a change has been seen all checks fail, also if it is undone: another process may have written in between.
/// Thread-safe.
class open_files {
  public:
    /// Throws errc::unsupported if the file has more than one name, since each name has a write-ahead log of its own:
    /// if it has hard links, or is mounted by itself.
    explicit open_files(database_path where);
    ~open_files();
    open_files(open_files const&) = delete;
    open_files& operator=(open_files const&) = delete;

    std::string const& path() const noexcept { return where_.file; }

    enum class which {
        database,  // the database file alone: its log may come and go, as other processes open and close it
        all,       // with the write-ahead log and its index
    };
    /// Remembers the files that the connection has open. With `all`, it has read from the log, which stays as long as
    /// the connection is open. To be called again when all connections have been closed since. Throws as `check` does.
    void adopt(connection const& db, which files);

    /// Throws unless the connection has opened the remembered file.
    void check_opened(connection const& db, char const* operation);
    /// Throws errc::not_a_database if a name leads elsewhere; errc::unavailable if it cannot be looked up. Looks at
    /// most every 10 ms.
    void check(char const* operation);
    /// To be called after a commit, which counts only if this returns nothing. Looks at the database's name every time,
    /// and at the others at most every 10 ms.
    std::optional<error> lost(char const* operation);
    /// Whether the log's name is the only one that leads elsewhere: what is in the log can still be moved into the
    /// database file.
    bool only_log_lost() const;

  private:
    struct file {
        std::string name;
        dev_t device;
        ino_t inode;
        bool log;
    };
    std::optional<std::string> change_of(file const& from) const;
    std::optional<error> look(char const* operation, bool all);
    bool due() noexcept;
    error failure(char const* operation, errc code, std::string const& what) const;

    database_path const where_;
    std::atomic<steady_time> looked_{};
    std::atomic<bool> changed_ = false;
    mutable std::mutex mutex_;        // of the following
    std::vector<file> files_;         // the names of the database first
    std::size_t database_names_ = 0;  // how many these are
    int handle_ = -1;                 // tells where the file is now; see O_PATH
    std::string what_changed_;
};

}  // namespace minibatch::store::sqlite
