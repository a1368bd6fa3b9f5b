#include "support/bare_sync.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

#include "support/clock.hpp"

namespace bench {
namespace {

constexpr std::size_t page_bytes = 16'384;
/// A write-ahead log, too, is written from its beginning to its end and over again.
constexpr int pages = 256;

void check(bool done, char const* what) {
    if (!done) throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

bare_sync::bare_sync(std::filesystem::path const& directory) : page_(page_bytes, 'x') {
    file_ = ::open((directory / "bare_sync").c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    check(file_ >= 0, "open");
    for (int i = 0; i < pages; ++i) check(::write(file_, page_.data(), page_.size()) == page_bytes, "write");
    check(::fsync(file_) == 0, "fsync");
}

bare_sync::~bare_sync() { ::close(file_); }

std::vector<double> bare_sync::overwrite(double seconds) {
    std::vector<double> durations;
    stopwatch const watch;
    while (watch.seconds() < seconds) {
        auto const begin = nanoseconds();
        auto const place = static_cast<off_t>(next_++ % pages) * static_cast<off_t>(page_bytes);
        check(::pwrite(file_, page_.data(), page_.size(), place) == page_bytes, "pwrite");
        check(::fdatasync(file_) == 0, "fdatasync");
        durations.push_back(static_cast<double>(nanoseconds() - begin) / 1e6);
    }
    return durations;
}

}  // namespace bench
