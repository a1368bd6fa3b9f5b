#include "store/mongo/wire/database_clock.hpp"

#include <time.h>

#include <algorithm>

#include "store/time_limit.hpp"

namespace minibatch::store::mongo {

time_ms database_clock::set(time_ms server_now, steady_time sent, steady_time received) {
    // The server read its clock about halfway between the two.
    auto const at = sent + (received - sent) / 2;
    std::lock_guard const lock(mutex_);
    auto const expected = base_ + std::chrono::duration_cast<milliseconds>(at - base_at_).count();
    auto const off = base_at_ == steady_time{} ? 0 : server_now - expected;
    base_ = server_now;
    base_at_ = at;
    return off;
}

time_ms database_clock::now() {
    if (!real_) return local_->system_now();
    std::lock_guard const lock(mutex_);
    return base_ + std::chrono::duration_cast<milliseconds>(local_->steady_now() - base_at_).count();
}

steady_time database_clock::steady_now() {
    if (!real_) return local_->steady_now();
    timespec at{};
    ::clock_gettime(CLOCK_BOOTTIME, &at);
    return steady_time(std::chrono::seconds(at.tv_sec) + std::chrono::nanoseconds(at.tv_nsec));
}

steady_time database_clock::on_this_machine(steady_time deadline) {
    auto const left = std::min<steady_time::duration>(deadline - local_->steady_now(), unlimited);
    return std::chrono::steady_clock::now() + left;
}

}  // namespace minibatch::store::mongo
