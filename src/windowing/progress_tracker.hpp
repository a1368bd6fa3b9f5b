#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "windowing/cut.hpp"
#include "windowing/range_set.hpp"

namespace minibatch::windowing {

/// The progress record as the holder of the lease sees it: which windows are open, which are committed, and what has to
/// be saved. The calls for a window: `open`, any number of `fail`, `commit`, a `snapshot` that is written, then `saved`
/// or `uncommit` by its outcome.
class progress_tracker {
  public:
    using handle = std::int64_t;

    explicit progress_tracker(store::progress from);

    /// To be called for every record fed, in order: `low_number` is found from it, and how far time windows reach.
    void note_record(log::segment const& record);

    /// A window is to be delivered. Its discarded messages count as committed from now on. Throws
    /// `errc::too_many_ranges`, and has no effect then.
    handle open(cut const& window);
    /// Messages that a custom emitter discarded without a window.
    void discard(std::span<store::offset_range const> ranges);

    /// The next snapshot has the window as committed. Throws `errc::too_many_ranges`, and has no effect then.
    void commit(handle window);
    /// A save of the commit has failed for certain: the window is open again.
    void uncommit(handle window);
    /// A snapshot taken after the commit has been stored. The handle is not valid any more.
    void saved(handle window);
    /// The handler failed: the next delivery is another attempt.
    void fail(handle window);
    /// Which delivery attempt this is: 1, 2 …
    int attempt(handle window) const;
    std::size_t open_windows() const noexcept { return windows_.size(); }
    /// How many entries stand for the time windows above `windows_end`, open and committed.
    std::size_t time_windows() const noexcept { return time_windows_.size(); }

    /// What is to be stored now. Never behind a snapshot that was stored.
    store::progress snapshot() const;
    /// All below are committed, as of the next snapshot.
    std::int64_t low() const noexcept;

    /// The log begins at this record and offset now. Steps over what was removed and returns how many messages were
    /// not committed, without those below `cleared`. The count is part of the next snapshot. For time windows,
    /// `times_removed` must follow.
    std::int64_t retention_floor(std::int64_t offset, std::int64_t number, std::int64_t cleared);

    /// Messages of these times were removed before they were in a window: what began then is not known to be empty.
    void times_removed(store::time_range times);

    void set_keep(bool keep) noexcept { loaded_.keep = keep; }

  private:
    enum class state { open, committed };
    struct entry {
        cut window;  // without its slices
        state at = state::open;
        int failures = 0;
    };
    struct noted {
        std::int64_t number;
        std::int64_t end;
    };
    struct time_window {
        handle id;  // 0: saved
        store::time_range times;
        time_ms end;  // what `windows_end` becomes
        bool done;
    };

    bool moved() const noexcept;
    std::optional<time_ms> windows_end() const noexcept;
    void add_windows_done(store::progress& to) const;
    void settle_time(handle window);
    void add_done(store::time_range times);
    std::int64_t low_number(std::int64_t low) const;
    void check_ranges(std::size_t more) const;
    void settle_low();

    store::progress loaded_;  // keep, lost, start_time; what was recorded or has failed and is not open again yet
    range_set done_;          // from the first low on: all that is committed
    std::map<handle, entry> windows_;
    std::deque<noted> records_;
    std::deque<time_window> time_windows_;  // in the order of opening; neighbours that are saved are one
    std::size_t recorded_ranges_ = 0;       // of open and not yet opened windows
    std::size_t committed_unsaved_ = 0;
    handle next_ = 1;
    bool moved_ = false;  // for certain: saved, or discarded
};

}  // namespace minibatch::windowing
