#include "mongo_model/network.hpp"

#include <utility>

namespace mongo_model {

void timeline::after(moment delay, std::function<void()> what) { due_.push({now_ + delay, order_++, std::move(what)}); }

void timeline::run_until(moment end) {
    while (!due_.empty() && due_.top().at <= end) {
        auto next = std::move(const_cast<event&>(due_.top()));  // NOLINT: it is taken off at once
        due_.pop();
        now_ = next.at;
        next.what();
    }
    now_ = end;
}

std::int64_t timeline::pick(std::int64_t low, std::int64_t high) {
    // Not std::uniform_int_distribution, whose results differ between libraries.
    auto const width = static_cast<std::uint64_t>(high - low) + 1;
    return low + static_cast<std::int64_t>(bits_() % width);
}

moment delay_of_request(timeline& time, fault_profile const& how) {
    if (time.chance(how.very_late)) return time.pick(8'000, 70'000);
    if (time.chance(how.late)) return time.pick(500, 8'000);
    return time.pick(0, 3);
}

}  // namespace mongo_model
