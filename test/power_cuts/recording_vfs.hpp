#pragma once

#include <sqlite3.h>

#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "power_cuts/disk.hpp"

namespace minibatch::test {

/// A call that SQLite makes on a file, or that the product makes on the directory.
struct file_call {
    std::string_view kind;  // "write", "sync", "read", "open", "delete", "lock", "map index", …, "sync directory"
    std::string_view file = {};  // the name in the directory; empty for the directory
    std::int64_t offset = 0;
    std::int64_t size = 0;
};

/// What comes of a call instead of its own result.
struct file_answer {
    int code = SQLITE_IOERR;
    bool performed = false;  // the call takes effect all the same
};

/// A virtual file system of SQLite that records what is done to the files of one directory, and can fail calls. The
/// program's default from its first use. Files are never synced in truth: the disk is the recorded one.
class recording_vfs {
  public:
    /// Asked before each call on the recorded files, on the calling thread. It may use SQLite itself.
    using interceptor = std::function<std::optional<file_answer>(file_call const&)>;

    static recording_vfs& instance();

    /// Records into `target` and asks `intercept` from now on; neither with nullptr.
    void record(disk* target, interceptor intercept = {});
    void intercept(interceptor intercept);
    /// What SIGKILL does to the process: from now on its calls on the recorded files have no effect and fail. Once its
    /// connections are closed, `revive` lets another process begin.
    void kill();
    void revive();

    /// For fsync of a directory: the result if it is the recorded one.
    std::optional<int> sync_directory(int descriptor);

    struct file;

  private:
    recording_vfs();
    friend struct recording_vfs_calls;

    std::optional<file_answer> ask(file_call const& call);
    void record_directory_sync(bool done);

    sqlite3_vfs* real_ = nullptr;
    sqlite3_vfs own_{};
    std::recursive_mutex mutex_;
    disk* target_ = nullptr;
    interceptor intercept_;
    std::set<file*> open_;
    bool killed_ = false;
};

/// While it exists, what happens in a directory is recorded.
class recording {
  public:
    explicit recording(disk& target, recording_vfs::interceptor intercept = {}) {
        recording_vfs::instance().record(&target, std::move(intercept));
    }
    ~recording() { recording_vfs::instance().record(nullptr); }
    recording(recording const&) = delete;
    recording& operator=(recording const&) = delete;
};

}  // namespace minibatch::test
