#include "store/sqlite/open_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "store/sqlite/connection.hpp"

namespace minibatch::store::sqlite {
namespace {

constexpr milliseconds look_spacing{10};

void refuse_second_name(std::string const& path) {
    struct statx found {};
    if (::statx(AT_FDCWD, path.c_str(), 0, STATX_TYPE | STATX_NLINK, &found) != 0 || !S_ISREG(found.stx_mode)) return;
    auto const refuse = [&](std::string const& why) {
        throw error(errc::unsupported, "database '" + path + "', open: " + why);
    };
    if (found.stx_nlink > 1)
        refuse(
            "the file has " + std::to_string(found.stx_nlink) +
            " names (hard links), and a write-ahead log beside each of them: programs that use different names damage "
            "it; remove the other names, or use a copy");
    if ((found.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0)
        refuse("the file is mounted by itself, without the write-ahead log beside it; mount its directory instead");
}

}  // namespace

open_files::open_files(database_path where) : where_(std::move(where)) { refuse_second_name(where_.file); }

open_files::~open_files() {
    if (handle_ >= 0) ::close(handle_);
}

void open_files::adopt(connection const& db, which files) {
    std::vector<file> found_files;
    auto const add = [&](std::string const& name, bool log) {
        struct stat found {};
        if (::stat(name.c_str(), &found) != 0)
            throw failure("open", errc::unavailable, "'" + name + "': " + std::generic_category().message(errno));
        found_files.push_back({name, found.st_dev, found.st_ino, log});
    };
    add(where_.file, false);
    if (where_.given != where_.file) add(where_.given, false);
    auto const database_names = found_files.size();
    if (files == which::all) {
        add(where_.file + "-wal", true);
        add(where_.file + "-shm", false);
    }
    {
        std::lock_guard const lock(mutex_);
        bool const same =
            files_.empty() || (files_[0].device == found_files[0].device && files_[0].inode == found_files[0].inode);
        if (same) {
            files_ = std::move(found_files);
            database_names_ = database_names;
        }  // else the look below finds that the name leads elsewhere
        // Such a handle does not open the file: closing it drops none of SQLite's locks. Without it messages say less.
        if (handle_ < 0) handle_ = ::open(where_.file.c_str(), O_PATH | O_CLOEXEC | O_NOFOLLOW);
    }
    check_opened(db, "open");
}

void open_files::check_opened(connection const& db, char const* operation) {
    int moved = 0;
    if (sqlite3_file_control(db.handle(), "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved != 0)
        throw failure(operation, errc::not_a_database, "'" + where_.file + "' was replaced while it was opened");
    if (auto const problem = look(operation, true)) throw error(*problem);
}

void open_files::check(char const* operation) {
    if (!changed_ && !due()) return;
    if (auto const problem = look(operation, true)) throw error(*problem);
}

std::optional<error> open_files::lost(char const* operation) { return look(operation, due()); }

bool open_files::only_log_lost() const {
    if (!changed_) return false;
    try {
        std::lock_guard const lock(mutex_);
        for (auto const& each : files_)
            if (change_of(each).has_value() != each.log) return false;
        return true;
    } catch (error const&) {
        return false;
    }
}

/// Whether it is time to look at all names again.
bool open_files::due() noexcept {
    auto const now = std::chrono::steady_clock::now();
    if (now - looked_.load(std::memory_order_relaxed) < look_spacing) return false;
    looked_.store(now, std::memory_order_relaxed);
    return true;
}

std::optional<error> open_files::look(char const* operation, bool all) {
    std::lock_guard const lock(mutex_);
    try {
        auto const count = all ? files_.size() : database_names_;
        for (std::size_t i = 0; i < count && !changed_; ++i) {
            if (auto what = change_of(files_[i])) {
                what_changed_ = std::move(*what);
                changed_ = true;
            }
        }
    } catch (error const& problem) {
        return failure(operation, errc::unavailable, problem.what());
    }
    if (!changed_) return std::nullopt;
    return failure(operation, errc::not_a_database, what_changed_ + " while it was open; connect again");
}

/// What has become of a file: nothing if its name still leads to it.
std::optional<std::string> open_files::change_of(file const& from) const {
    struct stat found {};
    if (::stat(from.name.c_str(), &found) == 0) {
        if (found.st_dev == from.device && found.st_ino == from.inode) return std::nullopt;
        return "'" + from.name + "' was replaced by another file";
    }
    if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
        throw error(errc::unavailable, "'" + from.name + "': " + std::generic_category().message(errno));
    bool const database = from.name == where_.file;
    if (!database || handle_ < 0 || ::fstat(handle_, &found) != 0) return "'" + from.name + "' was removed or moved";
    if (found.st_nlink == 0) return "'" + from.name + "' was removed";
    std::error_code unknown;
    auto const now = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(handle_), unknown);
    return "'" + from.name + "' was moved" + (unknown ? "" : " to '" + now.string() + "'");
}

error open_files::failure(char const* operation, errc code, std::string const& what) const {
    return error(code, "database '" + where_.file + "', " + operation + ": " + what);
}

}  // namespace minibatch::store::sqlite
