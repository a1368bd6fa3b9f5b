#pragma once

#include <deque>
#include <memory>

#include "runtime/append_queue.hpp"
#include "runtime/write_batch.hpp"

namespace minibatch::runtime {

/// Writes that wait for one another: one batch is being written, and what arrives meanwhile waits for the next. While
/// one is written, the next full segment may be prepared. Decides what is to be done next; its owner does it. Not
/// thread-safe.
class write_lane {
  public:
    /// `prepares`: full segments are prepared while others are written.
    write_lane(batch_limits const& limits, bool prepares) : limits_(limits), prepares_(prepares) {}

    void push(queued_append&& item) { appends_.push(std::move(item)); }
    void push(queued_write&& item) { writes_.push_back(std::move(item)); }

    /// True: the lane was at rest and is now writing. The owner begins with `next`.
    bool start() noexcept;
    /// The batch to be written now. None: the lane is not writing any more.
    std::shared_ptr<write_batch> next();
    /// Called when a batch was written. False: nothing is left to do, and the lane is not writing any more, unless
    /// `stay` keeps it so; the owner then calls `next` or `written` again.
    bool written(bool stay = false) noexcept;

    /// True: the owner is to prepare a batch, which it gets by `take_to_prepare` and returns by `prepared`.
    bool start_preparing() noexcept;
    std::shared_ptr<write_batch> take_to_prepare();
    /// True: the lane had nothing else to write and is writing now. The owner goes on with `next`.
    bool prepared(std::shared_ptr<write_batch> batch) noexcept;

    append_queue& appends() noexcept { return appends_; }
    append_queue const& appends() const noexcept { return appends_; }
    /// Whether nothing waits, is being written or prepared.
    bool at_rest() const noexcept { return !writing_ && nothing_left(); }
    /// Whether appends or commits wait or are being written.
    bool holds_data() const noexcept;

  private:
    bool nothing_left() const noexcept { return appends_.empty() && writes_.empty() && !preparing_ && !ready_; }
    std::shared_ptr<write_batch> take();

    batch_limits const limits_;
    bool const prepares_;
    append_queue appends_;
    std::deque<queued_write> writes_;
    bool writing_ = false;
    bool writing_data_ = false;  // the batch that is being written contains appends or commits
    bool preparing_ = false;
    std::shared_ptr<write_batch> ready_;  // prepared; the next to be written
};

}  // namespace minibatch::runtime
