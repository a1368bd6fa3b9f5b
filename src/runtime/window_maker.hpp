#pragma once

#include <memory>
#include <optional>

#include "runtime/log_reader.hpp"
#include "runtime/outage_pause.hpp"
#include "runtime/progress_saver.hpp"
#include "runtime/window_book.hpp"
#include "windowing/planner.hpp"

namespace minibatch::runtime {

/// Makes windows as the strategy asks for them: has the log read and sealed, records the windows that could not be cut
/// again, and offers them to the group member. On the loop alone.
class window_maker {
  public:
    window_maker(partition_context const& context, std::weak_ptr<partition_worker> worker, lease_session const& lease,
                 windowing::pending_log& pending, windowing::planner& planner, windowing::progress_tracker& tracker,
                 log_reader& reader, progress_saver& saver, window_book& book, outage_pause& outage)
        : context_(context),
          worker_(std::move(worker)),
          lease_(lease),
          pending_(pending),
          planner_(planner),
          tracker_(tracker),
          reader_(reader),
          saver_(saver),
          book_(book),
          outage_(outage) {}

    bool has_room() const { return book_.size() < static_cast<std::size_t>(context_.member.options.max_in_flight); }
    /// One step of the strategy. False: nothing to do before the worker is woken, or before `look_again`.
    asio::awaitable<bool> step(std::optional<steady_time>& look_again);
    /// At the end: what the strategy still finds, then what is left, in last windows. Returns when there is no room.
    asio::awaitable<void> flush();
    /// Whether `flush` has found everything.
    bool flushed() const noexcept { return flushed_; }

  private:
    asio::awaitable<void> seal(time_ms until);
    asio::awaitable<void> deliver(windowing::cut made);
    window_ptr make(windowing::cut made);
    void discard(windowing::discard_only const& messages);
    void look_at(windowing::wait_until wait, windowing::moment now, std::optional<steady_time>& look_again) const;
    void warn_of_standing_still(windowing::wait_until wait, windowing::moment now);

    partition_context const& context_;
    std::weak_ptr<partition_worker> worker_;
    lease_session const& lease_;
    windowing::pending_log& pending_;
    windowing::planner& planner_;
    windowing::progress_tracker& tracker_;
    log_reader& reader_;
    progress_saver& saver_;
    window_book& book_;
    outage_pause& outage_;
    bool flushed_ = false;
    bool warned_of_clock_ = false;
};

}  // namespace minibatch::runtime
