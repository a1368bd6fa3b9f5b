#include "runtime/group_removal.hpp"

#include <algorithm>
#include <map>
#include <vector>

#include "runtime/coroutine.hpp"
#include "runtime/lease_watch.hpp"

namespace minibatch::runtime {
namespace {

/// How often the records of leases are looked at.
milliseconds pause_between_looks(milliseconds length) {
    return std::clamp(length / 12, milliseconds(20), milliseconds(500));
}

/// The leases of one group, by partition.
class group_watch {
  public:
    /// Returns false when one of them has been renewed or has changed hands since the last look.
    bool see(std::vector<store::group_state> const& groups, std::string const& name, steady_time now,
             time_ms database_now) {
        bool same = true;
        for (auto const& group : groups) {
            if (group.id.group != name || !group.held.held()) continue;
            auto const [at, first_look] = watches_.try_emplace(group.id.log.partition, milliseconds(10'000));
            if (at->second.see(group.held, now, database_now) && !first_look) same = false;
        }
        return same;
    }
    std::vector<store::partition_lease> ended(steady_time now) const {
        std::vector<store::partition_lease> out;
        for (auto const& [partition, watch] : watches_)
            if (auto held = watch.ended(now)) out.push_back({partition, std::move(*held)});
        return out;
    }
    /// When the last of them ends.
    steady_time all_ended_at() const {
        steady_time last{};
        for (auto const& [partition, watch] : watches_) last = std::max(last, watch.ends_at());
        return last;
    }
    milliseconds shortest() const {
        milliseconds found{10'000};
        for (auto const& [partition, watch] : watches_)
            if (auto const length = watch.seen()->length; length.count() > 0) found = std::min(found, length);
        return found;
    }
    bool empty() const noexcept { return watches_.empty(); }

  private:
    std::map<int, lease_watch> watches_;
};

}  // namespace

asio::awaitable<bool> remove_group(environment const& env, std::int64_t incarnation, std::string group) {
    wait_budget bounds(env);
    wake_signal pause;
    group_watch holders;
    auto const deadline = env.deadline();
    for (;;) {
        std::optional<error> in_use;
        try {
            auto remove = [&env, incarnation, group, deadline, ended = holders.ended(env.time->now())] {
                return env.database->delete_group(incarnation, group, deadline, ended);
            };
            auto const found = co_await on_worker(env, bounds, std::move(remove));
            co_return found;
        } catch (error const& problem) {
            if (problem.code() != errc::group_in_use) throw;
            in_use = problem;
        }
        auto look = [&env, incarnation, deadline] { return env.database->list_groups(incarnation, deadline); };
        auto const groups = co_await on_worker(env, bounds, std::move(look));
        auto const now = env.time->now();
        auto const same = holders.see(groups, group, now, env.database->now());
        if (!same || std::max(holders.all_ended_at(), now) >= deadline) throw error(*in_use);
        auto until = std::min(now + pause_between_looks(holders.shortest()), deadline);
        if (holders.all_ended_at() > now) until = std::min(until, holders.all_ended_at());
        co_await pause.wait(env, until);
    }
}

}  // namespace minibatch::runtime
