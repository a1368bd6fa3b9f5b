#include "store/sqlite/write_ahead_log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <thread>
#include <vector>

namespace minibatch::store::sqlite {
namespace {

constexpr int log_header = 32;
constexpr int frame_header = 24;

// Places in the index, in the byte order of the machine.
constexpr int index_bytes = 32768;
constexpr int changes_place = 8;
constexpr int page_size_place = 14;
constexpr int frames_place = 16;
constexpr int checksum_place = 24;
constexpr int salt_place = 32;
constexpr int checkpointed_place = 96;
constexpr int checkpoint_lock = 1;

template <class Integer>
Integer load(char const volatile* from) noexcept {
    std::array<char, sizeof(Integer)> bytes;
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = from[i];
    Integer out;
    std::memcpy(&out, bytes.data(), sizeof out);
    return out;
}

int page_size(char const volatile* index) noexcept {
    int const stored = load<std::uint16_t>(index + page_size_place);
    return (stored & 0xfe00) + ((stored & 1) << 16);
}

using checksum = std::array<std::uint32_t, 2>;

std::uint32_t big_endian(char const* from) noexcept {
    std::uint32_t out = 0;
    for (int i = 0; i < 4; ++i) out = out << 8 | static_cast<unsigned char>(from[i]);
    return out;
}

std::uint32_t little_endian(char const* from) noexcept {
    std::uint32_t out = 0;
    for (int i = 3; i >= 0; --i) out = out << 8 | static_cast<unsigned char>(from[i]);
    return out;
}

/// The sum over a log: each frame continues that of the one before.
class running_checksum {
  public:
    explicit running_checksum(bool big) noexcept : word_(big ? &big_endian : &little_endian) {}
    void add(char const* bytes, int size) noexcept {
        for (int i = 0; i < size; i += 8) {
            sum_[0] += word_(bytes + i) + sum_[1];
            sum_[1] += word_(bytes + i + 4) + sum_[0];
        }
    }
    checksum const& value() const noexcept { return sum_; }

  private:
    std::uint32_t (*word_)(char const*) noexcept;
    checksum sum_{};
};

/// A file descriptor of a directory.
class directory {
  public:
    explicit directory(std::string const& path) noexcept
        : file_(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {}
    ~directory() {
        if (file_ >= 0) ::close(file_);
    }
    directory(directory const&) = delete;
    directory& operator=(directory const&) = delete;
    /// The system's error number, or 0.
    int sync() const noexcept { return file_ < 0 || ::fsync(file_) != 0 ? errno : 0; }

  private:
    int file_;
};

}  // namespace

void write_ahead_log::fail(int result) const { db_.fail(result, sqlite3_errstr(result)); }

sqlite3_file* write_ahead_log::file(int which) const {
    sqlite3_file* out = nullptr;
    int const result = sqlite3_file_control(db_.handle(), "main", which, &out);
    if (result != SQLITE_OK) fail(result);
    if (!out || !out->pMethods) fail(SQLITE_CANTOPEN);
    return out;
}

char volatile* write_ahead_log::shared_index() const {
    auto* const database = file(SQLITE_FCNTL_FILE_POINTER);
    void volatile* out = nullptr;
    int const result = database->pMethods->xShmMap(database, 0, index_bytes, 0, &out);
    if (result != SQLITE_OK || !out) fail(result == SQLITE_OK ? SQLITE_IOERR_SHMMAP : result);
    return static_cast<char volatile*>(out);
}

log_index write_ahead_log::index() const {
    auto const* const at = shared_index();
    log_index out;
    out.changes = load<std::uint32_t>(at + changes_place);
    out.frames = load<std::uint32_t>(at + frames_place);
    out.salt = load<std::array<std::uint32_t, 2>>(at + salt_place);
    return out;
}

void write_ahead_log::rewrite() const {
    auto const frames = index().frames;
    int const page = page_size(shared_index());
    auto* const log = file(SQLITE_FCNTL_JOURNAL_POINTER);
    auto const check = [this](int result) {
        if (result != SQLITE_OK) fail(result);
    };
    std::vector<char> bytes(static_cast<std::size_t>(frame_header + page));
    sqlite3_int64 at = 0;
    auto const copy = [&](int size) {
        check(log->pMethods->xRead(log, bytes.data(), size, at));
        check(log->pMethods->xWrite(log, bytes.data(), size, at));
        at += size;
    };
    if (frames > 0) {
        copy(log_header);
        running_checksum sum((big_endian(bytes.data()) & 1) != 0);
        sum.add(bytes.data(), log_header - 8);
        for (std::uint32_t frame = 0; frame < frames; ++frame) {
            copy(frame_header + page);
            sum.add(bytes.data(), 8);
            sum.add(bytes.data() + frame_header, page);
        }
        // The kernel may have dropped from its cache what is not on the disk, after SQLite had read it.
        if (sum.value() != load<checksum>(shared_index() + checksum_place)) fail(SQLITE_IOERR_DATA);
    }
    sqlite3_int64 size = 0;
    check(log->pMethods->xFileSize(log, &size));
    if (size == 0) return;
    if (size > at) {
        // Without its header, the log's or a frame's, nothing of what follows is valid.
        std::array<char, std::max(log_header, frame_header)> const nothing{};
        check(log->pMethods->xWrite(log, nothing.data(), at == 0 ? log_header : frame_header, at));
    }
    check(log->pMethods->xSync(log, SQLITE_SYNC_NORMAL));
}

void write_ahead_log::forget_checkpoints() const {
    auto* const database = file(SQLITE_FCNTL_FILE_POINTER);
    auto* const methods = database->pMethods;
    auto* const at = reinterpret_cast<std::uint32_t volatile*>(shared_index() + checkpointed_place);
    constexpr int exclusive = SQLITE_SHM_EXCLUSIVE;
    int result = SQLITE_BUSY;
    while ((result = methods->xShmLock(database, checkpoint_lock, 1, SQLITE_SHM_LOCK | exclusive)) == SQLITE_BUSY) {
        // A checkpoint is running.
        if (std::chrono::steady_clock::now() >= db_.end()) break;
        std::this_thread::sleep_for(milliseconds(1));
    }
    if (result != SQLITE_OK) fail(result);
    __atomic_store_n(at, 0U, __ATOMIC_SEQ_CST);
    methods->xShmLock(database, checkpoint_lock, 1, SQLITE_SHM_UNLOCK | exclusive);
}

void sync_directory_of(std::string const& path) {
    auto const parent = std::filesystem::path(path).parent_path().string();
    int const number = directory(parent).sync();
    // A directory that may be written to but not read cannot be synced; some file systems have no such sync.
    if (number == 0 || number == EACCES || number == EINVAL || number == ENOTSUP) return;
    throw error(number == ENOSPC || number == EDQUOT ? errc::storage_full : errc::store_failure,
                "database '" + path + "': syncing the directory '" + parent +
                    "' failed: " + std::generic_category().message(number));
}

}  // namespace minibatch::store::sqlite
