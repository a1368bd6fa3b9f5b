#pragma once

#include <functional>
#include <set>
#include <string>

#include "support/decorated_store.hpp"

namespace minibatch::test {

/// Passes every call on to another store, but for those that a test has chosen to fail.
class failing_store final : public decorated_store {
  public:
    enum class way {
        refused,      // the call has no effect
        answer_lost,  // a write takes effect and ends with errc::outcome_unknown all the same; others are refused
    };

    explicit failing_store(std::shared_ptr<minibatch::store::store> inner) : decorated_store(std::move(inner)) {}

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
    /// The same, inside of the next read.
    std::function<void()> during_read;
    /// The same, inside of every call but a write.
    std::function<void(std::string_view call)> during_call;

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
    void before(std::string_view call) override {
        if (call == "read" && during_read) std::exchange(during_read, nullptr)();
        if (auto const hang = during_call) hang(call);
        if (auto failure = due(call)) throw error(std::move(*failure));
    }

    int calls_left_ = 0;
    int times_ = 1;
    bool always_ = false;
    errc code_ = errc::unavailable;
    way how_ = way::refused;
    std::function<bool(std::string_view)> filter_;
    std::set<std::string> hit_;
};

}  // namespace minibatch::test
