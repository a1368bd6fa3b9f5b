#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "runtime/lease_session.hpp"
#include "runtime/log_trimmer.hpp"
#include "runtime/window_record.hpp"
#include "windowing/progress_tracker.hpp"

namespace minibatch::runtime {

/// Stores the progress of a group under one lease. One save is under way at a time; all that comes meanwhile goes into
/// the next one, so that any number of commits that wait are one write. On the loop alone.
///
/// A save may outlive the lease and its worker: those who wait for it are told all the same.
class progress_saver : public std::enable_shared_from_this<progress_saver> {
  public:
    using save_done = detail::callback<>;

    /// Whom the outcomes concern. Not called after `end`.
    class listener {
      public:
        virtual ~listener() = default;
        /// Another holder has the lease. To be answered by `end`.
        virtual void fenced() = 0;
        /// A save has ended that covered the commits of these windows. Returns those that are in doubt: they are saved
        /// again until their outcome is known.
        virtual std::vector<window_ptr> save_ended(std::vector<window_ptr> const& covered,
                                                   std::optional<error> const& problem) = 0;
    };

    progress_saver(partition_context const& context, lease_session const& lease,
                   windowing::progress_tracker const& tracker, log_trimmer& trimmer, listener& concerned)
        : context_(context), lease_(lease), tracker_(tracker), trimmer_(trimmer), listener_(concerned) {}

    /// Stores the progress as it is, or as it will be when the save under way has ended.
    void save();
    /// The next save covers the commit of this window.
    void cover(window_ptr window) { to_cover_.push_back(std::move(window)); }
    /// The next save is told to `done`, on the loop.
    void tell(save_done done) { to_tell_.push_back(std::move(done)); }
    /// Saves and waits until that is durable. Throws the error of the save.
    asio::awaitable<void> saved();
    /// Whether something is to be saved, or is being saved.
    bool busy() const noexcept { return saving_ || save_again_; }

    /// The lease is over: nothing is saved any more. Those who wait for a save that was not begun are told `why`.
    void end(std::string_view why);

  private:
    void finished(std::optional<error> problem, std::int64_t low_number, std::vector<window_ptr> const& covered,
                  std::vector<save_done> waiters);
    void go_on(std::int64_t low_number, std::optional<error> const& problem);

    partition_context const& context_;
    lease_session const& lease_;
    windowing::progress_tracker const& tracker_;
    log_trimmer& trimmer_;
    listener& listener_;

    bool saving_ = false;
    bool save_again_ = false;
    std::vector<window_ptr> to_cover_;
    std::vector<window_ptr> in_doubt_;  // covered by a save whose outcome is not known
    int doubts_ = 0;                    // in a row
    std::unique_ptr<timer> repetition_;
    std::vector<save_done> to_tell_;
    bool ended_ = false;
};

}  // namespace minibatch::runtime
