#include "mongo_model/group.hpp"

#include <algorithm>
#include <utility>

namespace mongo_model {

group const& group_replicas::at(op_time when) const {
    auto const found =
        std::find_if(versions_.rbegin(), versions_.rend(), [&](auto const& each) { return each.since <= when; });
    return found->what;
}

std::optional<group_replicas::op_time> group_replicas::readable(std::optional<op_time> after) {
    auto const least = after.value_or(0);
    if (time_.chance(how_.stale)) {
        auto const point = points_[static_cast<std::size_t>(time_.pick(0, std::ssize(points_) - 1))];
        if (point >= least) return point;
    }
    if (durable_ < least) return std::nullopt;
    return durable_;
}

group_replicas::op_time group_replicas::write(group to) {
    versions_.push_back({std::move(to), ++newest_});
    if (!std::exchange(replicating_, true))
        time_.after(time_.chance(how_.slow) ? time_.pick(100, 5'000) : time_.pick(1, 20), [this] { replicate(); });
    return newest_;
}

void group_replicas::fail_over() {
    while (versions_.back().since > durable_) versions_.pop_back();
    for (auto time = durable_ + 1; time <= newest_; ++time) lost_.insert(time);
    write(group(versions_.back().what));  // the new primary's first entry
}

void group_replicas::replicate() {
    replicating_ = false;
    auto to = time_.chance(500) ? newest_ : time_.pick(durable_ + 1, newest_);
    while (lost_.contains(to)) ++to;  // times of another past
    for (auto const& each : versions_)
        if (each.since > durable_ && each.since <= to) history_.push_back(each.what);
    durable_ = to;
    points_.push_back(to);
    if (durable_ == newest_) return;
    replicating_ = true;
    time_.after(time_.pick(1, 20), [this] { replicate(); });
}

}  // namespace mongo_model
