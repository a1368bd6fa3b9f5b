#include "power_cuts/recording_vfs.hpp"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <map>
#include <new>
#include <utility>

namespace minibatch::test {

/// An open file; that of the real file system follows it in memory.
struct recording_vfs::file {
    sqlite3_file base;
    disk* on;  // null: not recorded
    int number;
    bool dead;
    bool syncs_directory;  // with its next sync, as SQLite does for logs and journals
    char name[64];

    sqlite3_file* real() noexcept { return reinterpret_cast<sqlite3_file*>(this + 1); }
    static file& of(sqlite3_file* from) noexcept { return *reinterpret_cast<file*>(from); }
};

namespace {

using kind = disk_event::kind;

recording_vfs& vfs() { return recording_vfs::instance(); }

/// The number of each file in the recorded directory.
std::map<std::string, int>& numbers() {
    static std::map<std::string, int> all;
    return all;
}

}  // namespace

struct recording_vfs_calls {
    using file = recording_vfs::file;

    template <class Call>
    static int forward(sqlite3_file* from, file_call call, Call const& perform) {
        auto& at = file::of(from);
        if (!at.on) return perform(at.real());
        if (at.dead) return SQLITE_IOERR;
        call.file = at.name;
        auto const answer = vfs().ask(call);
        if (answer && !answer->performed) return answer->code;
        int const result = perform(at.real());
        return answer ? answer->code : result;
    }

    static int close(sqlite3_file* from) {
        auto& at = file::of(from);
        std::lock_guard const lock(vfs().mutex_);
        vfs().open_.erase(&at);
        return at.real()->pMethods ? at.real()->pMethods->xClose(at.real()) : SQLITE_OK;
    }
    static int read(sqlite3_file* from, void* to, int size, sqlite3_int64 offset) {
        return forward(from, {"read", {}, offset, size},
                       [&](sqlite3_file* real) { return real->pMethods->xRead(real, to, size, offset); });
    }
    static int write(sqlite3_file* from, void const* bytes, int size, sqlite3_int64 offset) {
        return forward(from, {"write", {}, offset, size}, [&](sqlite3_file* real) {
            int const result = real->pMethods->xWrite(real, bytes, size, offset);
            auto& at = file::of(from);
            if (at.on && result == SQLITE_OK)
                at.on->record({kind::write,
                               {},
                               at.number,
                               offset,
                               std::make_shared<std::string const>(static_cast<char const*>(bytes),
                                                                   static_cast<std::size_t>(size))});
            return result;
        });
    }
    static int truncate(sqlite3_file* from, sqlite3_int64 size) {
        return forward(from, {"truncate", {}, size}, [&](sqlite3_file* real) {
            int const result = real->pMethods->xTruncate(real, size);
            auto& at = file::of(from);
            if (at.on && result == SQLITE_OK) at.on->record({kind::truncate, {}, at.number, size});
            return result;
        });
    }
    static int sync(sqlite3_file* from, int) {
        auto& at = file::of(from);
        bool performed = false;
        int const result = forward(from, {"sync"}, [&](sqlite3_file*) {
            performed = true;
            if (at.on) at.on->record({kind::sync, {}, at.number});
            return SQLITE_OK;
        });
        if (!at.on || at.dead) return result;
        if (!performed && result != SQLITE_OK) at.on->record({kind::failed_sync, {}, at.number});
        // SQLite does not look at the result either.
        if (performed && std::exchange(at.syncs_directory, false))
            vfs().record_directory_sync(!vfs().ask({"sync directory"}));
        return result;
    }
    static int file_size(sqlite3_file* from, sqlite3_int64* size) {
        return forward(from, {"file size"}, [&](sqlite3_file* real) { return real->pMethods->xFileSize(real, size); });
    }
    static int lock(sqlite3_file* from, int level) {
        return forward(from, {"lock"}, [&](sqlite3_file* real) { return real->pMethods->xLock(real, level); });
    }
    static int unlock(sqlite3_file* from, int level) {
        auto* const real = file::of(from).real();
        return real->pMethods->xUnlock(real, level);
    }
    static int check_reserved(sqlite3_file* from, int* out) {
        return forward(from, {"check lock"},
                       [&](sqlite3_file* real) { return real->pMethods->xCheckReservedLock(real, out); });
    }
    static int control(sqlite3_file* from, int what, void* argument) {
        auto* const real = file::of(from).real();
        return real->pMethods->xFileControl(real, what, argument);
    }
    static int sector_size(sqlite3_file* from) {
        auto* const real = file::of(from).real();
        return real->pMethods->xSectorSize(real);
    }
    static int characteristics(sqlite3_file* from) {
        auto* const real = file::of(from).real();
        return real->pMethods->xDeviceCharacteristics(real);
    }
    static int map_index(sqlite3_file* from, int region, int size, int extend, void volatile** to) {
        return forward(from, {"map index", {}, region},
                       [&](sqlite3_file* real) { return real->pMethods->xShmMap(real, region, size, extend, to); });
    }
    static int lock_index(sqlite3_file* from, int first, int count, int flags) {
        // What is held can always be released.
        if ((flags & SQLITE_SHM_UNLOCK) != 0) {
            auto* const real = file::of(from).real();
            return real->pMethods->xShmLock(real, first, count, flags);
        }
        return forward(from, {"lock index", {}, first, count},
                       [&](sqlite3_file* real) { return real->pMethods->xShmLock(real, first, count, flags); });
    }
    static void barrier(sqlite3_file* from) {
        auto* const real = file::of(from).real();
        real->pMethods->xShmBarrier(real);
    }
    static int unmap_index(sqlite3_file* from, int remove) {
        auto& at = file::of(from);
        return at.real()->pMethods->xShmUnmap(at.real(), at.dead ? 0 : remove);
    }
    static int fetch(sqlite3_file* from, sqlite3_int64 offset, int size, void** to) {
        auto* const real = file::of(from).real();
        return real->pMethods->xFetch(real, offset, size, to);
    }
    static int unfetch(sqlite3_file* from, sqlite3_int64 offset, void* page) {
        auto& at = file::of(from);
        // A checkpoint that finds the index changed calls this between reading its header and using it.
        if (at.on && !at.dead) static_cast<void>(vfs().ask({"unfetch", at.name}));
        return at.real()->pMethods->xUnfetch(at.real(), offset, page);
    }

    static int open(sqlite3_vfs*, char const* path, sqlite3_file* out, int flags, int* out_flags) {
        static sqlite3_io_methods const methods{
            3,           close,          read,    write,       truncate,        sync,      file_size,  lock,
            unlock,      check_reserved, control, sector_size, characteristics, map_index, lock_index, barrier,
            unmap_index, fetch,          unfetch};
        auto& self = vfs();
        auto& at = *new (out) recording_vfs::file{};
        std::lock_guard const lock(self.mutex_);
        std::filesystem::path const where(path ? path : "");
        bool const recorded = path && self.target_ && where.parent_path() == self.target_->root();
        bool exists = true;
        if (recorded) {
            if (self.killed_) return SQLITE_CANTOPEN;
            auto const name = where.filename().string();
            name.copy(at.name, sizeof at.name - 1);
            exists = std::filesystem::exists(where);
            auto const answer = self.ask({"open", at.name});
            if (answer && !answer->performed) return answer->code;
        }
        int const result = self.real_->xOpen(self.real_, path, at.real(), flags, out_flags);
        if (result != SQLITE_OK) return result;
        if (recorded) {
            at.on = self.target_;
            if (!exists) numbers()[at.name] = at.on->record({kind::create, at.name});
            at.number = numbers()[at.name];
            at.syncs_directory =
                (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0 && (flags & SQLITE_OPEN_CREATE) != 0;
            self.open_.insert(&at);
        }
        at.base.pMethods = &methods;
        return SQLITE_OK;
    }
    static int remove(sqlite3_vfs*, char const* path, int sync_directory) {
        auto& self = vfs();
        std::lock_guard const lock(self.mutex_);
        std::filesystem::path const where(path);
        bool const recorded = self.target_ && where.parent_path() == self.target_->root();
        auto const name = where.filename().string();
        if (recorded) {
            if (self.killed_) return SQLITE_IOERR_DELETE;
            auto const answer = self.ask({"delete", name});
            if (answer && !answer->performed) return answer->code;
        }
        int const result = self.real_->xDelete(self.real_, path, 0);
        if (recorded && result == SQLITE_OK) {
            self.target_->record({kind::remove, name});
            if (sync_directory != 0) {
                auto const answer = self.ask({"sync directory"});
                self.record_directory_sync(!answer);
                if (answer) return SQLITE_IOERR_DIR_FSYNC;
            }
        }
        return result;
    }
    static int access(sqlite3_vfs*, char const* path, int flags, int* out) {
        auto& self = vfs();
        {
            std::lock_guard const lock(self.mutex_);
            std::filesystem::path const where(path);
            if (self.target_ && where.parent_path() == self.target_->root()) {
                auto const name = where.filename().string();
                if (auto const answer = self.ask({"access", name})) return answer->code;
            }
        }
        return self.real_->xAccess(self.real_, path, flags, out);
    }
};

recording_vfs::recording_vfs() {
    real_ = sqlite3_vfs_find(nullptr);
    own_ = *real_;
    own_.zName = "recording";
    own_.pNext = nullptr;
    own_.szOsFile = static_cast<int>(sizeof(file)) + real_->szOsFile;
    own_.xOpen = recording_vfs_calls::open;
    own_.xDelete = recording_vfs_calls::remove;
    own_.xAccess = recording_vfs_calls::access;
    sqlite3_vfs_register(&own_, 1);
}

recording_vfs& recording_vfs::instance() {
    static recording_vfs one;
    return one;
}

void recording_vfs::record(disk* target, interceptor intercept) {
    std::lock_guard const lock(mutex_);
    target_ = target;
    intercept_ = std::move(intercept);
    killed_ = false;
    for (auto* const each : open_) each->on = nullptr;
    numbers().clear();
}

void recording_vfs::intercept(interceptor intercept) {
    std::lock_guard const lock(mutex_);
    intercept_ = std::move(intercept);
}

void recording_vfs::kill() {
    std::lock_guard const lock(mutex_);
    killed_ = true;
    for (auto* const each : open_) each->dead = true;
}

void recording_vfs::revive() {
    std::lock_guard const lock(mutex_);
    killed_ = false;
}

std::optional<file_answer> recording_vfs::ask(file_call const& call) {
    interceptor intercept;
    {
        std::lock_guard const lock(mutex_);
        intercept = intercept_;
    }
    return intercept ? intercept(call) : std::nullopt;
}

void recording_vfs::record_directory_sync(bool done) {
    target_->record({done ? kind::directory_sync : kind::failed_directory_sync, {}});
}

std::optional<int> recording_vfs::sync_directory(int descriptor) {
    std::lock_guard const lock(mutex_);
    struct stat asked {};
    struct stat root {};
    if (!target_ || ::fstat(descriptor, &asked) != 0 || ::stat(target_->root().c_str(), &root) != 0)
        return std::nullopt;
    if (asked.st_dev != root.st_dev || asked.st_ino != root.st_ino) return std::nullopt;
    auto const answer = killed_ ? file_answer{} : ask({"sync directory"});
    if (!killed_) record_directory_sync(!answer);
    if (!answer) return 0;
    errno = EIO;
    return -1;
}

}  // namespace minibatch::test

/// Takes the place of the C library's, in SQLite and in the product, too.
extern "C" int fsync(int descriptor) {
    if (auto const result = minibatch::test::recording_vfs::instance().sync_directory(descriptor)) return *result;
    return static_cast<int>(::syscall(SYS_fsync, descriptor));
}
