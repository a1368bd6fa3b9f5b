#pragma once

#include <sys/resource.h>

#include <chrono>
#include <cstdint>

namespace bench {

/// Nanoseconds of the steady clock, which all processes of a machine share.
inline std::int64_t nanoseconds() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

class stopwatch {
  public:
    double seconds() const { return static_cast<double>(nanoseconds() - begin_) / 1e9; }

  private:
    std::int64_t begin_ = nanoseconds();
};

/// Processor time used so far by `who`: RUSAGE_SELF or RUSAGE_THREAD.
inline double processor_seconds(int who) {
    rusage used{};
    getrusage(who, &used);
    auto const seconds = [](timeval time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

}  // namespace bench
