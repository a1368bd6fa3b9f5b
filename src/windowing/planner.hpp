#pragma once

#include <memory>
#include <minibatch/strategy.hpp>
#include <optional>

#include "windowing/pending_log.hpp"
#include "windowing/read_requirement.hpp"

namespace minibatch::windowing {

/// How windows are cut by one kind of strategy; see planner.
class policy {
  public:
    virtual ~policy() = default;
    virtual step next(pending_log& pending, moment now) = 0;
    /// The open remainder, with nothing that `next` would cut before it.
    virtual std::optional<cut> flush(pending_log& pending, moment now) = 0;
    /// What to read for what `next` does not find.
    virtual read_requirement required(pending_log const&, moment) const { return {}; }
};

/// Decides, for one partition, what the next window is. Holds no messages: those are in the pending_log.
class planner {
  public:
    /// Throws `errc::emitter_failed` if the strategy's factory makes no emitter.
    planner(strategy const& how, store::progress const& from, int partition);

    /// What to do next. Recorded windows come out in their place by
    /// offset. A cut has been taken out of `pending`. Throws `errc::emitter_failed` and `errc::too_many_pending` for
    /// custom emitters.
    step next(pending_log& pending, moment now);

    /// The steps of a drain, one a call: what `next` finds, which may be `read_on`; when it finds nothing more, the
    /// open remainder with the reason `flush`; then `wait_until`: nothing is left. Asks for no seal. An emitter's empty
    /// window counts as nothing, since there might be no end of them.
    step flush(pending_log& pending, moment now);

    /// What has to be read before `next` finds a window that it does not find now.
    read_requirement required(pending_log const& pending, moment now) const;

    /// Whether windows are cut by stamps, so that it matters when messages were created that are gone (see
    /// progress_tracker::times_removed).
    bool cuts_by_stamps() const noexcept { return by_stamps_; }

    /// The emitter of a custom strategy, for `query`; null for others.
    std::shared_ptr<window_emitter> const& emitter() const noexcept { return emitter_; }

  private:
    static std::optional<step> recorded_in_place(pending_log& pending);

    std::shared_ptr<window_emitter> emitter_;
    std::unique_ptr<policy> policy_;
    bool by_stamps_ = false;
};

/// At most so many bytes are in a window that no count or fixed interval bounds.
inline constexpr std::int64_t window_bytes_limit = std::int64_t{64} << 20;

std::unique_ptr<policy> make_trigger_policy(detail::strategy_parts const& parts);
std::unique_ptr<policy> make_fixed_policy(detail::strategy_parts::fixed_part const& how, store::progress const& from);
std::unique_ptr<policy> make_relaxed_policy(detail::strategy_parts const& parts, store::progress const& from);
std::unique_ptr<policy> make_custom_policy(std::shared_ptr<window_emitter> emitter, int partition);

}  // namespace minibatch::windowing
