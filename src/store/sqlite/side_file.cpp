#include "store/sqlite/side_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <system_error>
#include <thread>

#include "store/time_limit.hpp"

namespace minibatch::store::sqlite {
namespace {

constexpr off_t main_byte = 1;
constexpr off_t gate_byte = 0;
constexpr off_t settled_byte = 2;
constexpr off_t counter_place = 8;

/// Open file description locks: unlike the older kind they exclude two handles of one process as well.
int set_lock(int file, short kind, off_t byte) noexcept {
    struct flock range {};
    range.l_type = kind;
    range.l_whence = SEEK_SET;
    range.l_start = byte;
    range.l_len = 1;
    return ::fcntl(file, F_OFD_SETLK, &range);
}

bool wait_for(int file, off_t byte, steady_time deadline) noexcept {
    using namespace std::chrono_literals;
    for (std::chrono::steady_clock::duration pause = 50us;; pause = std::min<decltype(pause)>(pause * 2, 1ms)) {
        if (set_lock(file, F_WRLCK, byte) == 0) return true;
        // The file system has no such locks. SQLite's own remain.
        if (errno != EAGAIN && errno != EACCES && errno != EINTR) return true;
        auto const now = std::chrono::steady_clock::now();
        auto const end = std::min(deadline, time_limit::end());
        if (now >= end) return false;
        std::this_thread::sleep_for(std::min(pause, end - now));
    }
}

[[noreturn]] void fail(std::string const& database, std::string const& path, int number) {
    bool const forbidden = number == EACCES || number == EPERM || number == EROFS;
    bool const full = number == ENOSPC || number == EDQUOT;
    throw error(forbidden ? errc::read_only
                : full    ? errc::storage_full
                          : errc::unavailable,
                "database '" + database + "', open: the file '" + path +
                    "' beside it cannot be opened: " + std::generic_category().message(number));
}

[[noreturn]] void refuse(std::string const& database, std::string const& path, char const* why) {
    throw error(errc::not_a_database, "database '" + database + "', open: the file '" + path +
                                          "' beside it was not made by minibatch: " + why);
}

mode_t permissions(mode_t mode) noexcept { return mode & 0666; }

/// Whoever may write to the database may have made the file.
bool may_be_of(struct stat const& file, struct stat const& database) noexcept {
    return file.st_uid == database.st_uid || file.st_uid == ::geteuid() || file.st_uid == 0 ||
           ((database.st_mode & S_IWGRP) != 0 && file.st_gid == database.st_gid) || (database.st_mode & S_IWOTH) != 0;
}

/// As SQLite does for its own files: a file that root makes for somebody else is of use to him.
void follow(int file, struct stat const& is, struct stat const& database) noexcept {
    // Refused by the system for all but root, and for the group by all but its members.
    bool const owner = is.st_uid == database.st_uid || ::fchown(file, database.st_uid, database.st_gid) == 0;
    if (!(owner && is.st_gid == database.st_gid)) {
        [[maybe_unused]] auto const changed = ::fchown(file, static_cast<uid_t>(-1), database.st_gid);
    }
    if (permissions(is.st_mode) != permissions(database.st_mode)) {
        [[maybe_unused]] auto const changed = ::fchmod(file, permissions(database.st_mode));
    }
}

/// Whether it may be one of ours: nothing, or the counter and nothing before it.
bool has_our_content(int file, off_t size) noexcept {
    std::int64_t before = 0;
    return size == 0 ||
           (size == counter_place + 8 && ::pread(file, &before, sizeof before, 0) == sizeof before && before == 0);
}

/// Makes the file with its owner and mode from the first moment on, where the file system can. -1 with errno.
int make(std::string const& path, struct stat const& database) noexcept {
    auto const mode = permissions(database.st_mode);
    auto const directory = path.substr(0, path.rfind('/') + 1);
    if (int const file = ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, mode); file >= 0) {
        struct stat made {};
        if (::fstat(file, &made) == 0) follow(file, made, database);
        auto const name = "/proc/self/fd/" + std::to_string(file);
        if (::linkat(AT_FDCWD, name.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) == 0) return file;
        int const number = errno;
        ::close(file);
        errno = number;
        if (number == EEXIST) return -1;
    }
    return ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_CREAT | O_EXCL, mode);
}

/// Nothing of a file is changed by its name, nor before it is known to be ours.
int open_or_make(std::string const& database, std::string const& path) {
    struct stat of_database {};
    if (::stat(database.c_str(), &of_database) != 0)
        throw error(errc::unavailable, "database '" + database + "', open: " + std::generic_category().message(errno));
    constexpr int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
    int file = -1;
    // Another process may make or remove the file at the same time.
    for (int tries = 0; tries < 100; ++tries) {
        file = ::open(path.c_str(), flags);
        if (file < 0 && errno == ENOENT) file = make(path, of_database);
        if (file >= 0 || (errno != EEXIST && errno != EINTR)) break;
    }
    if (file < 0 && errno == ELOOP) refuse(database, path, "it is a symbolic link");
    if (file < 0 && (errno == EISDIR || errno == ENXIO)) refuse(database, path, "it is not a regular file");
    if (file < 0) fail(database, path, errno);
    struct stat found {};
    char const* wrong = nullptr;
    if (::fstat(file, &found) != 0 || !S_ISREG(found.st_mode))
        wrong = "it is not a regular file";
    else if (found.st_nlink > 1)
        wrong = "it has another name (a hard link)";
    else if (!may_be_of(found, of_database))
        wrong = "its owner may not write to the database";
    else if (!has_our_content(file, found.st_size))
        wrong = "it has other content";
    if (wrong) {
        ::close(file);
        refuse(database, path, wrong);
    }
    follow(file, found, of_database);
    return file;
}

}  // namespace

side_file::side_file(std::string const& database)
    : database_(database),
      path_(database + "-minibatch"),
      file_(open_or_make(database_, path_)),
      known_(read_counter()) {}

side_file::~side_file() { ::close(file_); }

bool side_file::lock(steady_time deadline) noexcept {
    if (!wait_for(file_, gate_byte, deadline)) return false;
    bool const mine = wait_for(file_, main_byte, deadline);
    set_lock(file_, F_UNLCK, gate_byte);
    return mine;
}

void side_file::unlock() noexcept { set_lock(file_, F_UNLCK, main_byte); }

bool side_file::settled_by_others() const noexcept {
    struct flock range {};
    range.l_type = F_WRLCK;
    range.l_whence = SEEK_SET;
    range.l_start = settled_byte;
    range.l_len = 1;
    return ::fcntl(file_, F_OFD_GETLK, &range) == 0 && range.l_type != F_UNLCK;
}

void side_file::settle() noexcept { set_lock(file_, F_RDLCK, settled_byte); }

void side_file::unsettle() noexcept { set_lock(file_, F_UNLCK, settled_byte); }

std::int64_t side_file::read_counter() const noexcept {
    std::int64_t value = 0;
    return ::pread(file_, &value, sizeof value, counter_place) == sizeof value ? value : 0;
}

void side_file::touch() noexcept {
    std::lock_guard const lock(mutex_);
    auto const counter = read_counter();
    others_ = others_ || counter != known_;
    known_ = counter + 1;
    // If the disk is full, others find the change by their own look at the database, once a second.
    [[maybe_unused]] auto const written = ::pwrite(file_, &known_, sizeof known_, counter_place);
}

bool side_file::touched_by_others() noexcept {
    std::lock_guard const lock(mutex_);
    auto const counter = read_counter();
    bool const touched = others_ || counter != known_;
    known_ = counter;
    others_ = false;
    return touched;
}

bool side_file::restore() noexcept {
    try {
        std::lock_guard const lock(mutex_);
        struct stat open {};
        struct stat named {};
        if (::fstat(file_, &open) != 0) return false;
        if (::stat(path_.c_str(), &named) == 0 ? named.st_dev == open.st_dev && named.st_ino == open.st_ino
                                               : errno != ENOENT)
            return false;
        int const again = open_or_make(database_, path_);
        // The file is exchanged in one step: others may be using the number.
        bool const exchanged = ::dup3(again, file_, O_CLOEXEC) >= 0;
        ::close(again);
        if (!exchanged) return false;
        known_ = read_counter();
        others_ = true;
        return true;
    } catch (std::exception const&) {
        return false;  // it is tried again
    }
}

}  // namespace minibatch::store::sqlite
