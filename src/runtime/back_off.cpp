#include "runtime/back_off.hpp"

#include <algorithm>
#include <random>

namespace minibatch::runtime {

std::chrono::milliseconds back_off_delay(int repetition) {
    thread_local std::minstd_rand random{std::random_device{}()};
    auto const full = std::min(100LL << std::clamp(repetition - 1, 0, 9), 30'000LL);
    return std::chrono::milliseconds(full - std::uniform_int_distribution<long long>(0, full / 2)(random));
}

}  // namespace minibatch::runtime
