#include "runtime/append_queue.hpp"

#include <algorithm>
#include <utility>

namespace minibatch::runtime {

void append_queue::push(queued_append&& item) {
    bytes_ += item.bytes;
    items_.push_back(std::move(item));
}

queued_append append_queue::pop() {
    auto item = std::move(items_.front());
    items_.pop_front();
    bytes_ -= item.bytes;
    return item;
}

std::deque<queued_append> append_queue::take(batch_limits const& limits) {
    // Nearly always: all of them, without touching each while others wait for the lock.
    if (!limits.one_segment && bytes_ <= limits.max_bytes) {
        bytes_ = 0;
        return std::exchange(items_, {});
    }
    std::deque<queued_append> taken;
    std::size_t bytes = 0;
    while (!items_.empty() && bytes < limits.max_bytes) {
        auto const next = items_.front().bytes;
        if (limits.one_segment && !taken.empty() && std::max(bytes, next) >= limits.full_segment_bytes) break;
        bytes += next;
        taken.push_back(pop());
    }
    return taken;
}

std::optional<queued_append> append_queue::cancel(append_ticket which) {
    auto const found = std::ranges::find(items_, which, &queued_append::id);
    if (found == items_.end()) return std::nullopt;
    auto item = std::move(*found);
    items_.erase(found);
    bytes_ -= item.bytes;
    return item;
}

std::size_t append_queue::expire(steady_time now, std::vector<queued_append>& late) {
    auto const before = bytes_;
    while (!items_.empty() && items_.front().deadline <= now) late.push_back(pop());
    return before - bytes_;
}

std::optional<steady_time> append_queue::first_deadline() const {
    return items_.empty() ? std::nullopt : std::optional(items_.front().deadline);
}

}  // namespace minibatch::runtime
