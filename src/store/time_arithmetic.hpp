#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "store/types.hpp"

/// Sums that stay at the ends of their type where they would overflow. Times come from users, from databases and from
/// clocks that may be wrong.
namespace minibatch::store {

constexpr std::int64_t saturating_sum(std::int64_t a, std::int64_t b) noexcept {
    std::int64_t sum = 0;
    if (!__builtin_add_overflow(a, b, &sum)) return sum;
    return b < 0 ? std::numeric_limits<std::int64_t>::min() : std::numeric_limits<std::int64_t>::max();
}

constexpr std::int64_t saturating_difference(std::int64_t a, std::int64_t b) noexcept {
    std::int64_t difference = 0;
    if (!__builtin_sub_overflow(a, b, &difference)) return difference;
    return b > 0 ? std::numeric_limits<std::int64_t>::min() : std::numeric_limits<std::int64_t>::max();
}

/// `duration` after `from`; `steady_time::max()`, which never comes, if that is later than the clock can tell.
constexpr steady_time after(steady_time from, milliseconds duration) noexcept {
    // A difference of two points in time may overflow, too; a thousand months cannot.
    constexpr milliseconds longest = std::chrono::duration_cast<milliseconds>(std::chrono::months(1'000));
    if (duration < longest) return from + std::max(duration, -longest);
    auto const left = std::chrono::duration_cast<milliseconds>(steady_time::max().time_since_epoch()) -
                      std::chrono::duration_cast<milliseconds>(from.time_since_epoch());
    return duration < left ? from + duration : steady_time::max();
}

}  // namespace minibatch::store
