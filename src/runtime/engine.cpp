#include "runtime/engine.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>

#include "runtime/identity.hpp"
#include "runtime/lasting.hpp"

namespace minibatch::runtime {
namespace {

constexpr milliseconds inspection_spacing{1};
constexpr milliseconds inspection_repetition{100};  // after a failure
constexpr milliseconds maintenance_period{1'000};
constexpr milliseconds retention_period{1'000};

/// Calls a member of the engine on the loop, if the engine is still there.
template <class Call>
std::function<void()> if_alive(std::weak_ptr<engine> weak, Call call) {
    return [weak = std::move(weak), call] {
        if (auto const self = weak.lock()) std::invoke(call, *self);
    };
}

}  // namespace

engine::engine(environment given, std::size_t max_pending_bytes)
    : env(std::move(given)),
      owner(new_owner()),
      writes(std::make_shared<write_queue>(env, newest, max_pending_bytes)) {}

void engine::keep(std::weak_ptr<lease_holder> holder, milliseconds lease) {
    auto const same = [&](auto const& entry) { return !entry.owner_before(holder) && !holder.owner_before(entry); };
    if (std::none_of(holders_.begin(), holders_.end(), same)) holders_.push_back(std::move(holder));
    arm_renewal(lease);
}

void engine::arm_renewal(milliseconds lease) {
    auto const period = lease / 3;
    if (renewal_ && renewal_period_ <= period) return;
    renewal_period_ = period;
    renewal_ = env.time->at(env.time->now() + period, if_alive(weak_from_this(), &engine::renew_all));
}

void engine::renew_all() {
    renewal_.reset();
    if (stopped_) return;
    std::erase_if(holders_, [](auto const& entry) { return entry.expired(); });
    if (holders_.empty()) {
        renewal_period_ = milliseconds(0);
        return;
    }
    auto const sent = env.time->now();
    std::vector<std::pair<store::write_request, write_queue::write_done>> requests;
    for (auto const& entry : holders_) {
        auto const holder = entry.lock();
        auto request = holder ? holder->renewal() : std::nullopt;
        if (!request) continue;
        auto const epoch = request->epoch;
        requests.emplace_back(std::move(*request), [entry, epoch, sent, loop = env.loop](store::write_result outcome) {
            asio::post(loop, [entry, epoch, sent, outcome = std::move(outcome)] {
                if (auto const still = entry.lock()) still->renewed(epoch, outcome, sent);
            });
        });
    }
    writes->submit_all(std::move(requests));
    arm_renewal(renewal_period_ * 3);
}

void engine::watch(std::weak_ptr<change_listener> listener) {
    if (!subscription_ && !stopped_) {
        subscription_ = env.database->watch([weak = weak_from_this()] {
            if (auto const self = weak.lock()) self->look_soon();
        });
    }
    listeners_.push_back(std::move(listener));
}

void engine::look_soon() {
    if (!change_posted_.exchange(true)) asio::post(env.loop, if_alive(weak_from_this(), &engine::change_seen));
}

void engine::change_seen() {
    change_posted_ = false;
    if (inspecting_) {
        inspect_again_ = true;
    } else {
        inspect();
    }
}

void engine::inspect() {
    std::erase_if(listeners_, [](auto const& entry) { return entry.expired(); });
    if (stopped_) return;
    auto asked = listeners_;
    std::vector<store::log_id> logs;
    std::vector<store::group_id> groups;
    std::erase_if(asked, [&](auto const& entry) {
        auto const listener = entry.lock();
        if (!listener || !listener->concerned()) return true;
        logs.push_back(listener->watched().log);
        groups.push_back(listener->watched());
        return false;
    });
    if (asked.empty()) return;
    inspecting_ = true;
    asio::post(env.workers, [self = shared_from_this(), asked = std::move(asked), logs = std::move(logs),
                             groups = std::move(groups)]() mutable {
        std::optional<store::inspection> found;
        std::optional<error> failed;
        try {
            found = self->env.database->inspect(logs, groups, self->env.deadline());
        } catch (std::exception const& problem) {
            if (auto const* const known = dynamic_cast<error const*>(&problem)) failed = *known;
            self->env.say(log_level::warning, std::string("looking for changes: ") + problem.what());
        }
        auto const loop = self->env.loop;
        asio::post(loop, [self = std::move(self), asked = std::move(asked), found = std::move(found),
                          failed = std::move(failed)] {
            if (failed) self->tell_failure(*failed);
            for (std::size_t i = 0; found && i < asked.size(); ++i) {
                if (auto const listener = asked[i].lock()) listener->changed(found->ends[i], found->leases[i]);
            }
            if (!found && !(failed && lasting(*failed))) self->inspect_again_ = true;
            auto const pause = found ? inspection_spacing : inspection_repetition;
            // Signals that came meanwhile are answered together, a little later, so that a busy writer elsewhere does
            // not keep this process busy too.
            self->next_inspection_ =
                self->env.time->at(self->env.time->now() + pause, if_alive(self->weak_from_this(), [](engine& e) {
                                       e.inspecting_ = false;
                                       if (std::exchange(e.inspect_again_, false)) e.inspect();
                                   }));
        });
    });
}

void engine::start() {
    writes->on_maintenance_due([weak = weak_from_this()] {
        auto const self = weak.lock();
        if (self && !self->maintenance_posted_.exchange(true))
            asio::post(self->env.loop, if_alive(weak, &engine::maintain));
    });
    asio::post(env.loop, if_alive(weak_from_this(), &engine::maintain));
}

void engine::maintain() {
    if (stopped_ || maintaining_) return;
    maintaining_ = true;
    asio::post(env.workers, [self = shared_from_this()]() mutable {
        std::optional<error> failed;
        try {
            self->env.database->maintain(self->env.deadline());
        } catch (std::exception const& problem) {
            if (auto const* const known = dynamic_cast<error const*>(&problem)) failed = *known;
            self->env.say(log_level::warning, std::string("housekeeping: ") + problem.what());
        }
        auto const loop = self->env.loop;
        asio::post(loop, [self = std::move(self), failed = std::move(failed)] {
            if (failed) self->tell_failure(*failed);
            self->maintaining_ = false;
            self->maintenance_posted_ = false;
            if (self->stopped_) return;
            self->next_maintenance_ = self->env.time->at(self->env.time->now() + maintenance_period,
                                                         if_alive(self->weak_from_this(), &engine::maintain));
        });
    });
}

/// Consumers that wait for messages call the store only when something wakes them.
void engine::tell_failure(error const& problem) {
    if (!lasting(problem)) return;
    for (auto const& entry : std::vector(listeners_))
        if (auto const listener = entry.lock()) listener->store_failed();
}

void engine::retain(store::stream_record const& stream) {
    asio::post(env.loop, [self = shared_from_this(), stream] {
        for (int partition = 0; partition < stream.partitions; ++partition) {
            store::log_id const log{stream.incarnation, partition};
            if (stream.limits.any())
                self->retained_[log] = stream.limits;
            else
                self->retained_.erase(log);
        }
        if (!self->next_trim_) self->trim_retained();
    });
}

void engine::trim_retained() {
    next_trim_.reset();
    if (stopped_ || retained_.empty()) return;
    auto const now = clocks.time_for_retention();
    for (auto const& [log, limits] : retained_) {
        writes->submit(store::trim_request{.log = log, .now_at_most = now}, [self = shared_from_this(),
                                                                             log = log](store::write_result outcome) {
            if (auto const* trimmed = std::get_if<store::trim_result>(&outcome)) {
                for (auto const& [group, messages] : trimmed->lost) {
                    self->env.say(log_level::warning, "retention removed " + std::to_string(messages) +
                                                          " messages that group '" + group + "' had not committed");
                }
            } else if (lasting(std::get<error>(outcome)) || std::get<error>(outcome).code() == errc::read_only) {
                asio::post(self->env.loop, [self, log] { self->retained_.erase(log); });
            }
        });
    }
    next_trim_ = env.time->at(env.time->now() + retention_period, if_alive(weak_from_this(), &engine::trim_retained));
}

void engine::stop() {
    stopped_ = true;
    asio::post(env.loop, [self = shared_from_this()] {
        self->renewal_.reset();
        self->next_inspection_.reset();
        self->next_maintenance_.reset();
        self->next_trim_.reset();
        asio::post(self->env.workers,
                   [subscription = std::shared_ptr<store::subscription>(std::move(self->subscription_))] {});
    });
}

}  // namespace minibatch::runtime
