// A library for LD_PRELOAD that makes system calls fail. The environment says which:
//
//   MINIBATCH_FAULT=KIND:N:ERRNO[:on]  The N-th call (1, 2 …) of this kind fails with this number; with `on`, all calls
//                                      from there on.
//   MINIBATCH_FAULT_COUNTS=FILE        At the end of the process, FILE gets a line `KIND CALLS FAILED` for each kind.
//
// Reading and writing of the standard descriptors is not counted: the tests look at what a program prints.

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

enum kind {
    k_open,
    k_read,
    k_pread,
    k_write,
    k_pwrite,
    k_fsync,
    k_fdatasync,
    k_ftruncate,
    k_fallocate,
    k_mmap,
    k_lock,
    k_stat,
    k_unlink,
    k_eventfd,
    k_epoll_create,
    k_epoll_ctl,
    k_timerfd,
    k_inotify_init,
    k_inotify_add,
    k_thread,
    k_socket,
    k_connect,
    k_poll,
    kinds
};
constexpr std::array<char const*, kinds> names{
    "open",      "read",         "pread",       "write",  "pwrite", "fsync",   "fdatasync",    "ftruncate",
    "fallocate", "mmap",         "lock",        "stat",   "unlink", "eventfd", "epoll_create", "epoll_ctl",
    "timerfd",   "inotify_init", "inotify_add", "thread", "socket", "connect", "poll"};

struct plan {
    int what = -1;
    unsigned long first = 0;
    int number = 0;
    bool on = false;

    plan() {
        char const* const given = std::getenv("MINIBATCH_FAULT");
        if (!given) return;
        char name[32] = {};
        char rest[8] = {};
        int const read = std::sscanf(given, "%31[a-z_]:%lu:%d:%7s", name, &first, &number, rest);
        for (int each = 0; read >= 3 && each < kinds; ++each)
            if (std::strcmp(name, names[static_cast<std::size_t>(each)]) == 0) what = each;
        on = std::strcmp(rest, "on") == 0;
        if (what >= 0) return;
        std::fprintf(stderr, "MINIBATCH_FAULT=%s is not KIND:N:ERRNO[:on]\n", given);
        std::_Exit(125);
    }
};

struct counters {
    std::array<std::atomic<unsigned long>, kinds> calls{};
    std::array<std::atomic<unsigned long>, kinds> failed{};

    ~counters() {
        char const* const path = std::getenv("MINIBATCH_FAULT_COUNTS");
        std::FILE* const out = path ? std::fopen(path, "w") : nullptr;
        if (!out) return;
        for (std::size_t each = 0; each < kinds; ++each)
            std::fprintf(out, "%s %lu %lu\n", names[each], calls[each].load(), failed[each].load());
        std::fclose(out);
    }
};

plan const& planned() {
    static plan const instance;
    return instance;
}
counters count;

/// The number with which this call is to fail; 0: it goes through.
int fault(kind what) noexcept {
    auto const index = static_cast<std::size_t>(what);
    auto const number = ++count.calls[index];
    auto const& fail = planned();
    if (fail.what != what || (fail.on ? number < fail.first : number != fail.first)) return 0;
    ++count.failed[index];
    return fail.number;
}

/// The function that this library stands before.
template <class Function>
Function real(char const* name) noexcept {
    return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

/// Fails as most calls do, or calls the real function.
template <class Result, class Call>
Result call_or_fail(kind what, Result failed, Call const& call) {
    if (int const number = fault(what)) {
        errno = number;
        return failed;
    }
    return call();
}

/// Unlocking does not fail in practice, and SQLite's bookkeeping does not survive it.
bool takes_lock(int command, void const* argument) noexcept {
    switch (command) {
        case F_SETLK:
        case F_SETLKW:
        case F_OFD_SETLK:
        case F_OFD_SETLKW:
            return static_cast<struct flock const*>(argument)->l_type != F_UNLCK;
        default:
            return false;
    }
}

bool standard(int file) noexcept { return file >= 0 && file <= 2; }

}  // namespace

// NOLINTBEGIN(cert-dcl50-cpp): these functions are variadic.
#define MINIBATCH_REAL(name) (reinterpret_cast<decltype(&::name)>(::dlsym(RTLD_NEXT, #name)))

extern "C" {

#define MINIBATCH_OPEN(name)                                                            \
    int name(char const* path, int flags, ...) {                                        \
        va_list more;                                                                   \
        va_start(more, flags);                                                          \
        mode_t const mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(more, mode_t) : 0; \
        va_end(more);                                                                   \
        static auto* const next = real<int (*)(char const*, int, ...)>(#name);          \
        return call_or_fail(k_open, -1, [&] { return next(path, flags, mode); });       \
    }
#define MINIBATCH_OPENAT(name)                                                               \
    int name(int directory, char const* path, int flags, ...) {                              \
        va_list more;                                                                        \
        va_start(more, flags);                                                               \
        mode_t const mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(more, mode_t) : 0;      \
        va_end(more);                                                                        \
        static auto* const next = real<int (*)(int, char const*, int, ...)>(#name);          \
        return call_or_fail(k_open, -1, [&] { return next(directory, path, flags, mode); }); \
    }
#define MINIBATCH_FCNTL(name)                                                           \
    int name(int file, int command, ...) {                                              \
        va_list more;                                                                   \
        va_start(more, command);                                                        \
        void* const argument = va_arg(more, void*);                                     \
        va_end(more);                                                                   \
        static auto* const next = real<int (*)(int, int, ...)>(#name);                  \
        bool const locks = takes_lock(command, argument);                               \
        if (!locks) return next(file, command, argument);                               \
        return call_or_fail(k_lock, -1, [&] { return next(file, command, argument); }); \
    }
#define MINIBATCH_CALL(what, failed, result, name, parameters, arguments)          \
    result name parameters {                                                       \
        static auto* const next = real<result(*) parameters>(#name);               \
        return call_or_fail<result>(what, failed, [&] { return next arguments; }); \
    }
#define MINIBATCH_TRANSFER(what, name, parameters, arguments)                   \
    ssize_t name parameters {                                                   \
        static auto* const next = real<ssize_t(*) parameters>(#name);           \
        if (standard(file)) return next arguments;                              \
        return call_or_fail<ssize_t>(what, -1, [&] { return next arguments; }); \
    }
// These return the number.
#define MINIBATCH_RETURNING(what, name, parameters, arguments)    \
    int name parameters {                                         \
        static auto* const next = real<int(*) parameters>(#name); \
        int const number = fault(what);                           \
        return number ? number : next arguments;                  \
    }

MINIBATCH_OPEN(open)
MINIBATCH_OPEN(open64)
MINIBATCH_OPENAT(openat)
MINIBATCH_OPENAT(openat64)
MINIBATCH_FCNTL(fcntl)
MINIBATCH_FCNTL(fcntl64)
MINIBATCH_TRANSFER(k_read, read, (int file, void* to, size_t size), (file, to, size))
MINIBATCH_TRANSFER(k_pread, pread, (int file, void* to, size_t size, off_t at), (file, to, size, at))
MINIBATCH_TRANSFER(k_pread, pread64, (int file, void* to, size_t size, off64_t at), (file, to, size, at))
MINIBATCH_TRANSFER(k_write, write, (int file, void const* from, size_t size), (file, from, size))
MINIBATCH_TRANSFER(k_pwrite, pwrite, (int file, void const* from, size_t size, off_t at), (file, from, size, at))
MINIBATCH_TRANSFER(k_pwrite, pwrite64, (int file, void const* from, size_t size, off64_t at), (file, from, size, at))
MINIBATCH_CALL(k_fsync, -1, int, fsync, (int file), (file))
MINIBATCH_CALL(k_fdatasync, -1, int, fdatasync, (int file), (file))
MINIBATCH_CALL(k_ftruncate, -1, int, ftruncate, (int file, off_t size) noexcept, (file, size))
MINIBATCH_CALL(k_ftruncate, -1, int, ftruncate64, (int file, off64_t size) noexcept, (file, size))
MINIBATCH_CALL(k_fallocate, -1, int, fallocate, (int file, int mode, off_t at, off_t size), (file, mode, at, size))
MINIBATCH_CALL(k_fallocate, -1, int, fallocate64, (int file, int mode, off64_t at, off64_t size),
               (file, mode, at, size))
MINIBATCH_RETURNING(k_fallocate, posix_fallocate, (int file, off_t at, off_t size), (file, at, size))
MINIBATCH_RETURNING(k_fallocate, posix_fallocate64, (int file, off64_t at, off64_t size), (file, at, size))
MINIBATCH_CALL(k_mmap, MAP_FAILED, void*, mmap,
               (void* at, size_t size, int access, int how, int file, off_t from) noexcept,
               (at, size, access, how, file, from))
MINIBATCH_CALL(k_mmap, MAP_FAILED, void*, mmap64,
               (void* at, size_t size, int access, int how, int file, off64_t from) noexcept,
               (at, size, access, how, file, from))
MINIBATCH_CALL(k_stat, -1, int, stat, (char const* path, struct stat* to) noexcept, (path, to))
MINIBATCH_CALL(k_stat, -1, int, stat64, (char const* path, struct stat64* to) noexcept, (path, to))
MINIBATCH_CALL(k_stat, -1, int, lstat, (char const* path, struct stat* to) noexcept, (path, to))
MINIBATCH_CALL(k_stat, -1, int, lstat64, (char const* path, struct stat64* to) noexcept, (path, to))
MINIBATCH_CALL(k_stat, -1, int, fstat, (int file, struct stat* to) noexcept, (file, to))
MINIBATCH_CALL(k_stat, -1, int, fstat64, (int file, struct stat64* to) noexcept, (file, to))
MINIBATCH_CALL(k_stat, -1, int, statvfs, (char const* path, struct statvfs* to) noexcept, (path, to))
MINIBATCH_CALL(k_stat, -1, int, fstatvfs, (int file, struct statvfs* to) noexcept, (file, to))
MINIBATCH_CALL(k_unlink, -1, int, unlink, (char const* path) noexcept, (path))
MINIBATCH_CALL(k_eventfd, -1, int, eventfd, (unsigned value, int flags) noexcept, (value, flags))
MINIBATCH_CALL(k_epoll_create, -1, int, epoll_create, (int size) noexcept, (size))
MINIBATCH_CALL(k_epoll_create, -1, int, epoll_create1, (int flags) noexcept, (flags))
MINIBATCH_CALL(k_epoll_ctl, -1, int, epoll_ctl, (int set, int what, int file, struct epoll_event* event) noexcept,
               (set, what, file, event))
MINIBATCH_CALL(k_timerfd, -1, int, timerfd_create, (clockid_t clock, int flags) noexcept, (clock, flags))
MINIBATCH_CALL(k_inotify_init, -1, int, inotify_init1, (int flags) noexcept, (flags))
MINIBATCH_CALL(k_inotify_add, -1, int, inotify_add_watch, (int set, char const* path, uint32_t mask) noexcept,
               (set, path, mask))
MINIBATCH_RETURNING(k_thread, pthread_create,
                    (pthread_t * thread, pthread_attr_t const* how, void* (*run)(void*), void* with) noexcept,
                    (thread, how, run, with))
MINIBATCH_CALL(k_socket, -1, int, socket, (int domain, int type, int protocol) noexcept, (domain, type, protocol))
MINIBATCH_CALL(k_connect, -1, int, connect, (int file, struct sockaddr const* to, socklen_t size), (file, to, size))
MINIBATCH_CALL(k_poll, -1, int, poll, (struct pollfd * files, nfds_t number, int timeout), (files, number, timeout))

}  // extern "C"
// NOLINTEND(cert-dcl50-cpp)
