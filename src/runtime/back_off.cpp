#include "runtime/back_off.hpp"

#include <algorithm>
#include <random>

namespace minibatch::runtime {
namespace {

std::minstd_rand& random_bits() {
    thread_local std::minstd_rand source{std::random_device{}()};
    return source;
}

}  // namespace

void seed_back_off(unsigned seed) { random_bits().seed(seed); }

std::chrono::milliseconds back_off_delay(int repetition) {
    auto const full = std::min(100LL << std::clamp(repetition - 1, 0, 9), 30'000LL);
    return std::chrono::milliseconds(full - std::uniform_int_distribution<long long>(0, full / 2)(random_bits()));
}

}  // namespace minibatch::runtime
