#include "runtime/tail.hpp"

#include <algorithm>

namespace minibatch::runtime {

std::unique_ptr<tail::follower> tail::follow(store::log_id log, appended call) {
    std::lock_guard const lock(mutex_);
    auto const key = next_key_++;
    logs_[log].followers.emplace_back(key, std::move(call));
    return std::make_unique<follower>(*this, log, key);
}

void tail::leave(store::log_id log, std::uint64_t key) {
    std::lock_guard const lock(mutex_);
    auto const found = logs_.find(log);
    if (found == logs_.end()) return;
    auto& followers = found->second.followers;
    std::erase_if(followers, [&](auto const& entry) { return entry.first == key; });
    if (!followers.empty()) return;
    for (auto const& segment : found->second.segments) bytes_ -= segment->bytes();
    std::erase(order_, log);
    logs_.erase(found);
}

bool tail::followed(store::log_id log) const {
    std::lock_guard const lock(mutex_);
    return logs_.contains(log);
}

void tail::publish(store::log_id log, log::segment_ptr segment) {
    std::lock_guard const lock(mutex_);
    auto const found = logs_.find(log);
    if (found == logs_.end()) return;
    auto& entry = found->second;
    store::log_position const end{segment->number() + 1, segment->end()};
    bytes_ += segment->bytes();
    entry.segments.push_back(std::move(segment));
    order_.push_back(log);
    shrink();
    for (auto const& [key, call] : entry.followers) call(end);
}

void tail::doubt(store::log_id log) {
    std::lock_guard const lock(mutex_);
    auto const found = logs_.find(log);
    if (found == logs_.end()) return;
    for (auto const& [key, call] : found->second.followers) call(std::nullopt);
}

void tail::shrink() {
    while (bytes_ > max_bytes_ && order_.size() > 1) {
        auto& segments = logs_.at(order_.front()).segments;
        bytes_ -= segments.front()->bytes();
        segments.pop_front();
        order_.pop_front();
    }
}

std::vector<log::segment_ptr> tail::from(store::log_id log, std::int64_t number, std::size_t max_bytes) const {
    std::lock_guard const lock(mutex_);
    std::vector<log::segment_ptr> result;
    auto const found = logs_.find(log);
    if (found == logs_.end()) return result;
    auto const& segments = found->second.segments;
    auto at = std::lower_bound(segments.begin(), segments.end(), number,
                               [](auto const& segment, std::int64_t wanted) { return segment->number() < wanted; });
    for (std::size_t bytes = 0; at != segments.end() && (*at)->number() == number && bytes < max_bytes;
         ++at, ++number) {
        bytes += (*at)->bytes();
        result.push_back(*at);
    }
    return result;
}

void tail::drop(std::int64_t incarnation) {
    std::lock_guard const lock(mutex_);
    for (auto& [log, entry] : logs_) {
        if (log.incarnation != incarnation) continue;
        for (auto const& segment : entry.segments) bytes_ -= segment->bytes();
        entry.segments.clear();
        std::erase(order_, log);
    }
}

}  // namespace minibatch::runtime
