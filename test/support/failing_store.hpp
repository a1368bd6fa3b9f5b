#pragma once

#include <functional>
#include <set>
#include <string>
#include <utility>

#include "store/store.hpp"

namespace minibatch::test {

/// Passes every call on to another store, but for those that a test has chosen to fail.
class failing_store final : public store::store {
    using deadline_t = minibatch::store::steady_time;

  public:
    enum class way {
        refused,      // the call has no effect
        answer_lost,  // a write takes effect and ends with errc::outcome_unknown all the same; others are refused
    };

    explicit failing_store(std::shared_ptr<minibatch::store::store> inner) : inner_(std::move(inner)) {}

    /// Fails the n-th call from now on, counted from 1, and those that follow it, so many in all.
    void fail_call(int n, errc code, way how = way::refused, int times = 1) {
        calls_left_ = n;
        times_ = times;
        code_ = code;
        how_ = how;
        hit_.clear();
    }
    /// Fails all calls from now on, for as long as the filter (if any) says so.
    void fail_all(errc code, std::function<bool(std::string_view call)> filter = {}) {
        always_ = true;
        code_ = code;
        how_ = way::refused;
        filter_ = std::move(filter);
    }
    void heal() {
        always_ = false;
        calls_left_ = 0;
    }
    /// Which calls failed since `fail_call`.
    std::set<std::string> const& hit() const { return hit_; }

    /// Runs inside of the next write, before it takes effect: the store hangs for as long as this takes.
    std::function<void()> during_write;
    /// The same, after it has taken effect.
    std::function<void()> after_write;

    minibatch::store::write_scope scope() const noexcept override { return inner_->scope(); }
    minibatch::store::time_ms now() override { return inner_->now(); }

    minibatch::store::stream_record open_stream(std::string const& name, std::optional<int> partitions,
                                                std::optional<minibatch::store::retention> limits,
                                                deadline_t deadline) override {
        check("open stream");
        return inner_->open_stream(name, partitions, limits, deadline);
    }
    std::optional<minibatch::store::stream_record> find_stream(std::string const& name, deadline_t deadline) override {
        check("find stream");
        return inner_->find_stream(name, deadline);
    }
    std::vector<minibatch::store::stream_record> list_streams(deadline_t deadline) override {
        check("list streams");
        return inner_->list_streams(deadline);
    }
    bool delete_stream(std::string const& name, std::int64_t incarnation, deadline_t deadline) override {
        check("delete stream");
        return inner_->delete_stream(name, incarnation, deadline);
    }
    void clear_stream(std::int64_t incarnation, deadline_t deadline) override {
        check("clear stream");
        inner_->clear_stream(incarnation, deadline);
    }
    minibatch::store::group_state register_group(minibatch::store::group_id const& group,
                                                 minibatch::store::start_position start, bool keep,
                                                 deadline_t deadline) override {
        check("register group");
        return inner_->register_group(group, start, keep, deadline);
    }
    std::vector<minibatch::store::group_state> list_groups(std::int64_t incarnation, deadline_t deadline) override {
        check("list groups");
        return inner_->list_groups(incarnation, deadline);
    }
    bool delete_group(std::int64_t incarnation, std::string const& group, deadline_t deadline) override {
        check("delete group");
        return inner_->delete_group(incarnation, group, deadline);
    }
    minibatch::store::read_result read(minibatch::store::log_id log, std::int64_t from,
                                       minibatch::store::read_limits limits, deadline_t deadline) override {
        check("read");
        return inner_->read(log, from, limits, deadline);
    }
    std::int64_t locate(minibatch::store::log_id log, std::int64_t offset, deadline_t deadline) override {
        check("locate");
        return inner_->locate(log, offset, deadline);
    }
    minibatch::store::log_state state(minibatch::store::log_id log, deadline_t deadline) override {
        check("state");
        return inner_->state(log, deadline);
    }
    minibatch::store::inspection inspect(std::span<minibatch::store::log_id const> logs,
                                         std::span<minibatch::store::group_id const> groups,
                                         deadline_t deadline) override {
        check("inspect");
        return inner_->inspect(logs, groups, deadline);
    }
    std::vector<std::pair<std::string, std::string>> read_collection(std::string const& name,
                                                                     deadline_t deadline) override {
        check("read collection");
        return inner_->read_collection(name, deadline);
    }
    std::unique_ptr<minibatch::store::subscription> watch(std::function<void()> changed) override {
        check("watch");
        return inner_->watch(std::move(changed));
    }
    void maintain(deadline_t deadline) override {
        check("maintain");
        inner_->maintain(deadline);
    }

    void write(std::span<minibatch::store::write_job> jobs, deadline_t deadline) noexcept override {
        if (auto const hang = std::exchange(during_write, nullptr)) hang();
        auto const failure = due("write");
        if (!failure || how_ == way::answer_lost) inner_->write(jobs, deadline);
        if (auto const hang = std::exchange(after_write, nullptr)) hang();
        if (!failure) return;
        for (auto& job : jobs) job.result = *failure;
    }

  private:
    std::optional<error> due(std::string_view call) {
        bool const counted = calls_left_ > 0 && --calls_left_ == 0;
        if (counted && --times_ > 0) calls_left_ = 1;
        if (!counted && !(always_ && (!filter_ || filter_(call)))) return std::nullopt;
        hit_.emplace(call);
        auto const code = how_ == way::answer_lost && call == "write" ? errc::outcome_unknown : code_;
        return error(code, "database 'test', " + std::string(call) + ": failed on purpose");
    }
    void check(std::string_view call) {
        if (auto failure = due(call)) throw error(std::move(*failure));
    }

    std::shared_ptr<minibatch::store::store> inner_;
    int calls_left_ = 0;
    int times_ = 1;
    bool always_ = false;
    errc code_ = errc::unavailable;
    way how_ = way::refused;
    std::function<bool(std::string_view)> filter_;
    std::set<std::string> hit_;
};

}  // namespace minibatch::test
