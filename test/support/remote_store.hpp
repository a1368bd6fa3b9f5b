#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <string>

#include "support/decorated_store.hpp"

namespace minibatch::test {

/// Another store, used as one that is far away is: its writes wait for one another by log and by group. Counts the
/// calls, each of which would be a round trip.
class remote_store final : public decorated_store {
  public:
    explicit remote_store(std::shared_ptr<minibatch::store::store> inner)
        : decorated_store(std::move(inner)), habits(inner_->tune()) {
        habits.scope = minibatch::store::write_scope::log;
        habits.prepares = true;
        habits.full_segment_bytes = 512;  // so that it comes to that
        habits.trim_records = 1'000;
        habits.trim_delay = std::chrono::minutes(1);
    }
    minibatch::store::tuning tune() const noexcept override { return habits; }

    void write(std::span<minibatch::store::write_job> jobs, deadline_t deadline) noexcept override {
        static char const* const names[] = {"append", "seal", "acquire", "renew", "release", "commit", "trim"};
        // One call may carry several kinds: it is counted with its first.
        std::string const name = names[jobs.front().request.index()];
        ++calls[name];
        for (auto const& job : jobs) ++jobs_of[names[job.request.index()]];
        if (during_write) during_write(name);
        inner_->write(jobs, deadline);
    }

    void prepare(minibatch::store::append_request& request) noexcept override {
        ++prepared;
        decorated_store::prepare(request);
    }

    minibatch::store::read_result read(minibatch::store::log_id log, std::int64_t from,
                                       minibatch::store::read_limits limits, deadline_t deadline) override {
        auto result = decorated_store::read(log, from, limits, deadline);
        if (lags && !result.records.empty()) {
            auto const& next = *result.records.front();
            result.state.end = {next.number(), next.first()};
            result.records.clear();
        }
        std::size_t bytes = 0;
        for (auto const& record : result.records) bytes += record->bytes();
        most_read = std::max(most_read, bytes);
        if (auto const late = std::exchange(after_read, nullptr)) late();
        return result;
    }

    minibatch::store::inspection inspect(std::span<minibatch::store::log_id const> logs,
                                         std::span<minibatch::store::group_id const> groups,
                                         deadline_t deadline) override {
        auto found = decorated_store::inspect(logs, groups, deadline);
        if (falsify) falsify(found);
        return found;
    }

    /// How many calls there were of a kind, and then none any more.
    int taken(std::string const& call) { return std::exchange(calls[call], 0); }
    /// How many calls there were of any kind but housekeeping; starts anew.
    int taken_in_all() {
        int sum = 0;
        for (auto const& [call, count] : std::exchange(calls, {}))
            if (call != "maintain") sum += count;
        return sum;
    }

    minibatch::store::tuning habits;
    /// Runs inside of every write, before it takes effect.
    std::function<void(std::string const& kind)> during_write;
    /// Runs inside of the next read, when it has seen what it returns.
    std::function<void()> after_read;
    /// Changes what inspections show.
    std::function<void(minibatch::store::inspection&)> falsify;
    int prepared = 0;           // segments
    bool lags = false;          // reads show nothing that is new
    std::size_t most_read = 0;  // bytes of text in one read
    std::map<std::string, int> calls;
    std::map<std::string, int> jobs_of;  // a write has several

  private:
    void before(std::string_view call) override { ++calls[std::string(call)]; }
};

}  // namespace minibatch::test
