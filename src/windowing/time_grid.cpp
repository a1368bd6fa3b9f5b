#include "windowing/time_grid.hpp"

#include <date/tz.h>

#include <minibatch/error.hpp>
#include <stdexcept>
#include <string>

namespace minibatch::windowing {
namespace {

using std::chrono::milliseconds;
using local_ms = date::local_time<milliseconds>;

date::time_zone const* find_zone(std::string_view name) {
    try {
        return date::locate_zone(std::string(name));
    } catch (std::runtime_error const& problem) {
        throw error(errc::invalid_argument,
                    "the time zone '" + std::string(name) + "' is not known here: " + problem.what());
    }
}

/// Division that rounds down.
std::int64_t quotient(std::int64_t dividend, std::int64_t divisor) {
    auto const rest = dividend % divisor;
    return dividend / divisor - (rest < 0 ? 1 : 0);
}

}  // namespace

time_grid::time_grid(milliseconds interval, milliseconds offset, std::string_view zone)
    : interval_(interval.count()), offset_(offset.count() % interval.count()) {
    if (zone.empty()) return;
    if (interval % std::chrono::days(1) != milliseconds(0))
        throw error(errc::invalid_argument, "a time zone ('" + std::string(zone) +
                                                "') needs an interval of whole days, not " +
                                                std::to_string(interval.count()) + " ms");
    zone_ = find_zone(zone);
}

time_ms time_grid::to_local(time_ms time) const {
    return zone_->to_local(date::sys_time<milliseconds>(milliseconds(time))).time_since_epoch().count();
}

std::int64_t time_grid::index_of(time_ms time) const {
    if (!zone_) return quotient(time - offset_, interval_);
    // Local time may repeat or skip some; what it says is off by one window at most.
    auto index = quotient(to_local(time) - offset_, interval_);
    while (start_of(index) > time) --index;
    while (end_of(index) <= time) ++index;
    return index;
}

time_ms time_grid::start_of(std::int64_t index) const {
    auto const local = index * interval_ + offset_;
    if (!zone_) return local;
    // A time that is skipped there is when the clocks are changed; of one that comes twice it is the first.
    auto const start = zone_->to_sys(local_ms(milliseconds(local)), date::choose::earliest);
    return std::chrono::duration_cast<milliseconds>(start.time_since_epoch()).count();
}

std::int64_t time_grid::first_from(std::int64_t index) const {
    if (!zone_) return index;
    while (end_of(index) <= start_of(index)) ++index;
    return index;
}

}  // namespace minibatch::windowing
