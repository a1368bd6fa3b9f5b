#include "mongo_model/group.hpp"

#include <algorithm>
#include <utility>

namespace mongo_model {

group const& group_replicas::at(op_time when) const {
    auto const found =
        std::find_if(versions_.rbegin(), versions_.rend(), [&](auto const& each) { return each.since <= when; });
    return found->what;
}

op_time group_replicas::write(group to) {
    auto const when = written();
    versions_.push_back({std::move(to), when});
    return when;
}

void group_replicas::fail_over() {
    while (versions_.back().since > durable()) versions_.pop_back();
    lose_writes();
    change_primary();
    write(group(versions_.back().what));  // the new primary's first entry
}

void group_replicas::became_durable(op_time from, op_time to) {
    for (auto const& each : versions_)
        if (each.since > from && each.since <= to) history_.push_back(each.what);
}

}  // namespace mongo_model
