#pragma once

#include <algorithm>
#include <functional>
#include <utility>

#include "mongo_model/network.hpp"

namespace mongo_model {

/// What waits for the answer to one request at a time.
struct line {
    std::uint64_t waiting = 0;
};

/// A process that stands still now and then, and asks servers over a network that loses and delays.
class station {
  public:
    station(timeline& time, fault_profile const& how) : time_(time), how_(how) {}
    station(station const&) = delete;
    station& operator=(station const&) = delete;

  protected:
    ~station() = default;

    /// Carries it out unless the process stands still; then later.
    void run(std::function<void()> what) {
        bool const frozen = time_.now() >= stands_until_ && time_.chance(how_.frozen);
        if (frozen || (time_.now() >= stands_until_ && time_.chance(how_.paused))) {
            auto const length = time_.chance(300) ? time_.pick(1, 60'000) : time_.pick(6'000, 20'000);
            stands_until_ = time_.now() + length;
            if (frozen) frozen_for_ += length;
        }
        if (time_.now() >= stands_until_) return what();
        time_.after(stands_until_ - time_.now(), [this, what = std::move(what)] { run(what); });
    }

    /// `serve` is called where and when the request arrives, if it does, with what to call with the answer; `then` with
    /// the answer, or with one that is `lost`.
    template <class Reply>
    void ask(line& on, std::function<void(std::function<void(Reply)>)> serve, std::function<void(Reply)> then,
             moment patience) {
        auto const id = ++on.waiting;
        auto const arrive = [this, &on, id, then = std::move(then)](Reply what) {
            run([&on, id, then, what = std::move(what)] {
                if (on.waiting != id) return;
                ++on.waiting;
                then(what);
            });
        };
        Reply nothing;
        nothing.lost = true;
        if (time_.chance(how_.cut)) patience = std::min<moment>(patience, time_.pick(1, 4'000));
        time_.after(std::max<moment>(patience, 1), [arrive, nothing] { arrive(nothing); });
        if (time_.chance(how_.lost)) return;
        time_.after(delay_of_request(time_, how_), [this, arrive, serve = std::move(serve)] {
            serve([this, arrive](Reply what) {
                if (!time_.chance(how_.lost)) time_.after(time_.pick(0, 3), [arrive, what] { arrive(what); });
            });
        });
    }

    timeline& time_;
    fault_profile const& how_;

    /// How much time the clocks of this machine have missed.
    moment frozen_for() const noexcept { return frozen_for_; }
    void freeze_like(station const& other) noexcept { frozen_for_ = other.frozen_for_; }
    void freeze(moment length) noexcept {
        stands_until_ = time_.now() + length;
        frozen_for_ += length;
    }

  private:
    moment stands_until_ = 0;
    moment frozen_for_ = 0;
};

}  // namespace mongo_model
