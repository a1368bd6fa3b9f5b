#include "store/sqlite/side_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <thread>

#include "store/time_limit.hpp"

namespace minibatch::store::sqlite {
namespace {

constexpr off_t main_byte = 1;
constexpr off_t gate_byte = 0;
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
        // Where the file system has no locks, SQLite's must do.
        if (errno != EAGAIN && errno != EACCES && errno != EINTR) return true;
        auto const now = std::chrono::steady_clock::now();
        auto const end = std::min(deadline, time_limit::end());
        if (now >= end) return false;
        std::this_thread::sleep_for(std::min(pause, end - now));
    }
}

}  // namespace

side_file::side_file(std::string const& database) : path_(database + "-minibatch") {
    struct stat of_database {};
    mode_t const mode = ::stat(database.c_str(), &of_database) == 0 ? (of_database.st_mode & 0666) : 0644;
    file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, mode);
    if (file_ < 0) {
        int const number = errno;
        bool const forbidden = number == EACCES || number == EPERM || number == EROFS;
        bool const full = number == ENOSPC || number == EDQUOT;
        throw error(forbidden ? errc::read_only
                    : full    ? errc::storage_full
                              : errc::unavailable,
                    "database '" + database + "', open: the file '" + path_ +
                        "' beside it cannot be opened: " + std::generic_category().message(number));
    }
    known_ = read_counter();
}

side_file::~side_file() { ::close(file_); }

bool side_file::lock(steady_time deadline) noexcept {
    if (!wait_for(file_, gate_byte, deadline)) return false;
    bool const mine = wait_for(file_, main_byte, deadline);
    set_lock(file_, F_UNLCK, gate_byte);
    return mine;
}

void side_file::unlock() noexcept { set_lock(file_, F_UNLCK, main_byte); }

std::int64_t side_file::read_counter() const noexcept {
    std::int64_t value = 0;
    return ::pread(file_, &value, sizeof value, counter_place) == sizeof value ? value : 0;
}

void side_file::touch() noexcept {
    std::lock_guard const lock(mutex_);
    auto const counter = read_counter();
    others_ = others_ || counter != known_;
    known_ = counter + 1;
    // A full disk costs the others a second: they look at the database themselves.
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

}  // namespace minibatch::store::sqlite
