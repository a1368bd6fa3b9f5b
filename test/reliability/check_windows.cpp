#include <algorithm>
#include <map>
#include <optional>

#include "reliability/checks.hpp"

namespace minibatch::test {
namespace {

using outcome = delivery::outcome;
using deliveries = std::vector<delivery const*>;

class window_checks {
  public:
    window_checks(history const& all, expectation const& expected) : all_(all), expected_(expected) {
        for (auto const& each : all.deliveries) by_id_[each.id].push_back(&each);
    }

    verdict run() {
        std::map<int, deliveries> committed;
        for (auto const& [id, of] : by_id_) {
            check_same(id, of);
            if (expected_.max_in_flight == 1) check_attempts(id, of);
            if (is_committed(id, of)) committed[of.front()->partition].push_back(of.front());
        }
        for (int partition = 0; partition < expected_.partitions; ++partition) {
            auto& windows = committed[partition];
            std::ranges::sort(windows, {}, [](auto const* each) {
                return std::pair(each->start, each->messages.empty() ? -1 : each->messages.front().offset);
            });
            check_offsets(partition, windows);
            check_order(windows);
            for (auto const* each : windows) check_shape(*each);
            if (expected_.interval > 0) check_intervals(windows);
        }
        return std::move(found_);
    }

  private:
    void problem(std::string text) { found_.problems.push_back(std::move(text)); }

    /// What a process reports that was stopped, or has lost its lease without knowing, may be out of date.
    bool current(delivery const& each) const {
        return each.what != outcome::fenced && !all_.stopped.contains(each.run);
    }

    void check_same(std::string const& id, deliveries const& of) {
        auto const& first = *of.front();
        for (auto const* each : of) {
            if (each->partition != first.partition || each->start != first.start || each->end != first.end ||
                each->reason != first.reason || each->messages != first.messages)
                problem("window " + id + " is not the same at each delivery");
        }
    }

    /// Between the deliveries of one window lie failures or take-overs alone.
    void check_attempts(std::string const& id, deliveries const& of) {
        int before = 0;
        for (auto const* each : of) {
            if (!current(*each)) continue;
            if (each->attempt <= before)
                problem("window " + id + ": attempt " + std::to_string(each->attempt) + " after attempt " +
                        std::to_string(before));
            before = each->attempt;
        }
    }

    bool is_committed(std::string const& id, deliveries const& of) {
        std::size_t reported = 0;
        std::size_t doubt = 0;
        std::size_t committed_at = 0;
        for (auto const* each : of) {
            if (each->what == outcome::committed) {
                ++reported;
                committed_at = each->resolved_at;
            } else if (each->what == outcome::in_doubt) {
                doubt = std::max(doubt, each->committing_at);
            }
        }
        if (reported > 1) problem("window " + id + " was committed " + std::to_string(reported) + " times");
        auto const settled = reported > 0 ? committed_at : doubt;
        for (auto const* each : of) {
            if (settled == 0 || !current(*each) || each->delivered_at <= settled) continue;
            if (reported > 0)
                problem("window " + id + " was delivered after it had been committed");
            else
                doubt = 0;
        }
        if (reported == 0 && doubt == 0) problem("window " + id + " was delivered and never committed");
        return reported > 0 || doubt > 0;
    }

    void check_offsets(int partition, deliveries const& windows) {
        std::int64_t next = 0;
        for (auto const* window : windows) {
            for (auto const& message : window->messages) {
                if (message.offset != next)
                    problem("partition " + std::to_string(partition) + ", window " + window->id + ": offset " +
                            std::to_string(message.offset) + " where " + std::to_string(next) + " should be");
                next = message.offset + 1;
                found_.messages.push_back(message);
            }
        }
    }

    /// When a window is delivered for the first time, fewer than `max_in_flight` of those before it may be uncommitted,
    /// or rather: nobody has begun to commit them.
    void check_order(deliveries const& windows) {
        std::vector<std::size_t> begun;  // when the commits of the windows before were first begun
        for (auto const* window : windows) {
            auto const& of = by_id_.at(window->id);
            auto const delivered = of.front()->delivered_at;
            auto const open = std::ranges::count_if(begun, [&](auto at) { return at == 0 || at > delivered; });
            if (open >= expected_.max_in_flight)
                problem("window " + window->id + " was delivered with " + std::to_string(open) + " open before it");
            std::size_t first = 0;
            for (auto const* each : of)
                if (each->committing_at > 0 && (first == 0 || each->committing_at < first)) first = each->committing_at;
            begun.push_back(first);
            // Far behind, all are committed; the check stays quick.
            if (begun.size() > 64) begun.erase(begun.begin());
        }
    }

    void check_shape(delivery const& window) {
        auto const size = static_cast<std::int64_t>(window.messages.size());
        if (expected_.count > 0 && window.reason != "flush" && (size != expected_.count || window.reason != "count"))
            problem("window " + window.id + " has " + std::to_string(size) + " messages, reason " + window.reason);
        if (expected_.interval == 0 && size == 0) problem("window " + window.id + " is empty");
        if (expected_.interval == 0) return;
        if (window.end - window.start != expected_.interval || window.start % expected_.interval != 0)
            problem("window " + window.id + " has the wrong bounds");
        for (auto const& message : window.messages)
            if (message.created < window.start || message.created >= window.end)
                problem("window " + window.id + " holds message " + std::to_string(message.offset) +
                        ", which was created outside of it");
    }

    /// No fixed window is left out; a flush alone divides one.
    void check_intervals(deliveries const& windows) {
        std::optional<std::int64_t> end;
        bool flushed = false;
        for (auto const* window : windows) {
            if (end && window->start != *end && !(flushed && window->end == *end))
                problem("window " + window->id + " does not begin where the one before it ended");
            end = window->end;
            flushed = window->reason == "flush";
        }
    }

    history const& all_;
    expectation const& expected_;
    std::map<std::string, deliveries> by_id_;
    verdict found_;
};

}  // namespace

verdict check_windows(history const& all, expectation const& expected) { return window_checks(all, expected).run(); }

}  // namespace minibatch::test
