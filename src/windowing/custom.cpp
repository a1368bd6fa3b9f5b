#include <algorithm>
#include <exception>
#include <minibatch/error.hpp>
#include <string>

#include "windowing/planner.hpp"

namespace minibatch::windowing {
namespace {

class custom_policy final : public policy {
  public:
    custom_policy(std::shared_ptr<window_emitter> emitter, int partition)
        : emitter_(std::move(emitter)), partition_(partition) {}

    step next(pending_log& pending, moment now) override {
        refresh(pending);
        auto const told = time_to_tell(now);
        auto answer = ask(told);
        if (answer.ready) {
            auto made = take(pending, std::move(answer));
            if (made.first < 0) made.start = made.end = told;
            return made;
        }
        if (!answer.discard.empty()) {
            answer.take.clear();
            return discard_only{take(pending, std::move(answer)).discarded};
        }
        check_limits(pending);
        if (!pending.caught_up()) return read_on{};
        if (!answer.look_again) return wait_until{};
        auto const left = store::saturating_difference(answer.look_again->time_since_epoch().count(), told);
        return wait_until{store::saturating_sum(now.steady, left)};
    }

    std::optional<cut> flush(pending_log& pending, moment) override {
        if (pending.empty()) return std::nullopt;
        return make_cut(pending.take_front(pending.count()), window_reason::flush, false);
    }

  private:
    void refresh(pending_log const& pending) {
        if (removals_ != pending.removals()) {
            removals_ = pending.removals();
            view_.clear();
        }
        auto const seen = view_.empty() ? -1 : view_.back().offset();
        auto run = std::ranges::upper_bound(pending.runs(), seen, {}, &slice::first_offset);
        for (; run != pending.runs().end(); ++run) append_messages(*run, partition_, view_);
    }

    // Stamps, which go on by the time elapsed while they stand still: an emitter that waits must not wait until the
    // clock has caught up.
    time_ms time_to_tell(moment now) {
        if (!last_ || last_->stamp != now.stamp) last_ = now;
        return now.stamp + (now.steady - last_->steady);
    }

    readiness ask(time_ms now) {
        try {
            return emitter_->window_ready(view_, time_point(std::chrono::milliseconds(now)));
        } catch (std::exception const& failure) {
            throw error(errc::emitter_failed, std::string("the custom emitter has failed: ") + failure.what());
        } catch (...) {
            throw error(errc::emitter_failed, "the custom emitter has failed with an unknown exception");
        }
    }

    // Taken and discarded are checked together: a message cannot be in both.
    static cut take(pending_log& pending, readiness answer) {
        auto const shown = static_cast<std::int64_t>(answer.take.size());
        auto all = std::move(answer.take);
        std::ranges::sort(answer.discard);
        all.insert(all.end(), answer.discard.begin(), answer.discard.end());
        std::vector<slice> taken;
        std::vector<slice> dropped;
        std::int64_t count = 0;
        for (auto& each : pending.take(all)) {
            auto const rest = std::clamp<std::int64_t>(shown - count, 0, each.count());
            count += each.count();
            if (rest < each.count()) dropped.push_back({each.segment, each.begin + rest, each.end});
            each.end = each.begin + rest;
            if (rest > 0) taken.push_back(std::move(each));
        }
        auto made = make_cut(std::move(taken), window_reason::custom, false);
        made.discarded = make_cut(std::move(dropped), window_reason::custom, false).offsets;
        return made;
    }

    void check_limits(pending_log const& pending) const {
        if (pending.count() > emitter_->max_pending_messages() ||
            static_cast<std::size_t>(pending.bytes()) > emitter_->max_pending_bytes()) {
            throw error(errc::too_many_pending, "the custom emitter has left " + std::to_string(pending.count()) +
                                                    " messages (" + std::to_string(pending.bytes()) +
                                                    " bytes) pending, more than it may");
        }
    }

    std::shared_ptr<window_emitter> emitter_;
    int partition_;
    std::vector<message> view_;  // what is pending
    std::uint64_t removals_ = 0;
    std::optional<moment> last_;  // when the stamp moved last
};

}  // namespace

std::unique_ptr<policy> make_custom_policy(std::shared_ptr<window_emitter> emitter, int partition) {
    return std::make_unique<custom_policy>(std::move(emitter), partition);
}

}  // namespace minibatch::windowing
