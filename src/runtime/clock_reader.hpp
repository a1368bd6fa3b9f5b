#pragma once

#include <optional>
#include <string>

#include "runtime/scheduler.hpp"
#include "windowing/moment.hpp"

namespace minibatch::runtime {

/// Finds out when the database's clock has been set, by comparing it with the steady clock. Pure.
class clock_watch {
  public:
    /// How far the clock has gone ahead (or back, if negative) of the time that has passed since it was last looked at,
    /// if that is more than a second. Told at most once a minute: a clock that stands still is reported now and then.
    std::optional<milliseconds> look(time_ms clock, steady_time now);

    /// The clock, or less: a jump ahead counts only when it has lasted. For removals by age, which cannot be undone.
    /// Precondition: it has been looked at.
    time_ms settled(steady_time now) const noexcept;

  private:
    struct offset {  // of the clock against the steady one
        milliseconds value;
        steady_time since;
    };
    static milliseconds since_origin(steady_time now) noexcept {
        return std::chrono::duration_cast<milliseconds>(now.time_since_epoch());
    }

    std::optional<milliseconds> reported_;  // as of the last report
    steady_time silent_until_{};
    milliseconds settled_{};
    std::optional<offset> ahead_;  // has not lasted yet
};

/// The clocks of a handle. On the loop alone.
class clock_reader {
  public:
    explicit clock_reader(environment const& env) : env_(env) {}

    /// A log whose last record was created then. Logs jumps of the database's clock.
    windowing::moment now(time_ms last_created);
    /// What the age of messages is measured against when they are removed for it.
    time_ms time_for_retention();

  private:
    environment const& env_;
    clock_watch watch_;
};

/// `time` in UTC, to the second: 2026-02-28T23:59:59Z.
std::string utc_text(time_ms time);

}  // namespace minibatch::runtime
