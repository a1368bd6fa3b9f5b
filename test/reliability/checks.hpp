#pragma once

#include <string>
#include <vector>

#include "reliability/history.hpp"

namespace minibatch::test {

/// What the windows of a test must look like.
struct expectation {
    int partitions = 1;
    int max_in_flight = 1;
    /// Messages in a window of a count strategy; 0: another strategy.
    std::int64_t count = 0;
    /// Length of fixed windows, the empty ones delivered; 0: another strategy.
    std::int64_t interval = 0;
};

/// What the windows that count as committed hold, and what is wrong.
struct verdict {
    /// By partition and offset.
    std::vector<numbered> messages;
    std::vector<std::string> problems;
};

/// Looks at the whole history of a test whose consumers have drained the stream. A window whose commit was begun and
/// never answered counts as committed exactly if it was not delivered again.
verdict check_windows(history const& all, expectation const& expected);

/// Whether what the producers appended is in the log as promised: what was acknowledged once and where they were told;
/// each producer in order; ranges as a whole, in one piece.
std::vector<std::string> check_appends(history const& all, std::vector<numbered> const& log, int partitions);

}  // namespace minibatch::test
