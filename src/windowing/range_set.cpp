#include "windowing/range_set.hpp"

#include <algorithm>
#include <iterator>

namespace minibatch::windowing {

void range_set::add(store::offset_range range) {
    if (range.begin >= range.end) return;
    auto at = ranges_.upper_bound(range.begin);
    if (at != ranges_.begin() && std::prev(at)->second >= range.begin) --at;
    while (at != ranges_.end() && at->first <= range.end) {
        range.begin = std::min(range.begin, at->first);
        range.end = std::max(range.end, at->second);
        at = ranges_.erase(at);
    }
    ranges_.emplace_hint(at, range.begin, range.end);
}

void range_set::remove(store::offset_range range) {
    if (range.begin >= range.end) return;
    auto at = ranges_.upper_bound(range.begin);
    if (at != ranges_.begin() && std::prev(at)->second > range.begin) --at;
    while (at != ranges_.end() && at->first < range.end) {
        auto const [begin, end] = *at;
        at = ranges_.erase(at);
        if (begin < range.begin) ranges_.emplace(begin, range.begin);
        if (end > range.end) ranges_.emplace(range.end, end);
    }
}

bool range_set::contains(std::int64_t offset) const {
    auto const at = ranges_.upper_bound(offset);
    return at != ranges_.begin() && std::prev(at)->second > offset;
}

std::int64_t range_set::count(store::offset_range range) const {
    std::int64_t total = 0;
    auto at = ranges_.upper_bound(range.begin);
    if (at != ranges_.begin()) --at;
    for (; at != ranges_.end() && at->first < range.end; ++at) {
        total += std::max<std::int64_t>(0, std::min(at->second, range.end) - std::max(at->first, range.begin));
    }
    return total;
}

}  // namespace minibatch::windowing
