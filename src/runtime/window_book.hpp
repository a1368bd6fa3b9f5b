#pragma once

#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "runtime/lease_session.hpp"
#include "runtime/partition_context.hpp"
#include "runtime/progress_saver.hpp"
#include "runtime/window_record.hpp"
#include "windowing/progress_tracker.hpp"

namespace minibatch::runtime {

/// The windows of one lease that were made and are not committed: who has them, and what becomes of them. On the loop
/// alone.
class window_book {
  public:
    window_book(partition_context const& context, lease_session const& lease, windowing::progress_tracker& tracker,
                progress_saver& saver)
        : context_(context), lease_(lease), tracker_(tracker), saver_(saver) {}

    void add(window_ptr window);
    std::size_t size() const noexcept { return open_.size(); }
    int attempt(window_record const& window) const { return tracker_.attempt(window.handle); }

    /// `delivery` is the one in which the caller got the window. `done` is called on the loop.
    void commit(window_ptr const& window, int delivery, detail::callback<> done);
    void fail(window_ptr const& window, int delivery, std::string const& reason, std::optional<milliseconds> delay,
              detail::callback<> done);
    /// The caller has let go of a window without resolving it. Not looked at: it was never delivered.
    void returned(window_ptr const& window, int delivery, bool looked_at);

    /// Answers for a window that is in no book.
    static void refuse_commit(window_record const& window, detail::callback<> done);
    static void refuse_failure(window_record const& window, errc why, detail::callback<> done);

    /// Offers the windows whose back-off is over, and says when the next one is.
    void redeliver_due(std::optional<steady_time>& look_again);
    /// Whether a caller holds a window that it may still commit, or a last one waits to be taken.
    bool in_use() const;

    /// A save of these commits has ended. Returns those that are in doubt.
    std::vector<window_ptr> save_ended(std::vector<window_ptr> const& covered, std::optional<error> const& problem);
    /// The lease is over.
    void close_all(std::string_view why);

  private:
    using state = window_record::state;

    void postpone(window_ptr const& window, std::optional<milliseconds> delay);
    void close(window_ptr const& window);
    void settle(window_ptr const& window, std::optional<error> const& problem);

    partition_context const& context_;
    lease_session const& lease_;
    windowing::progress_tracker& tracker_;
    progress_saver& saver_;
    std::map<std::int64_t, window_ptr> open_;  // by the tracker's handle
    bool any_waiting_ = false;                 // some of them may wait for their redelivery
};

}  // namespace minibatch::runtime
