#pragma once

#include <set>
#include <string>
#include <vector>

#include "reliability/records.hpp"

namespace minibatch::test {

/// A call that appends numbers of one producer.
struct append_call {
    int producer = 0;
    std::int64_t first = 0;
    std::int64_t last = 0;
    std::string mode;
    bool acknowledged = false;
    /// Of the first message, if the call told it; else -1.
    std::int64_t partition = -1;
    std::int64_t offset = -1;
};

/// One delivery of a window to one process, and what became of it.
struct delivery {
    enum class outcome { none, in_doubt, committed, fenced };

    int run = 0;
    std::string id;
    int partition = 0;
    int attempt = 0;
    std::int64_t start = 0;
    std::int64_t end = 0;
    std::string reason;
    std::vector<numbered> messages;
    outcome what = outcome::none;
    /// Lines of the report, in order of time over all processes; 0: did not happen.
    std::size_t delivered_at = 0;
    std::size_t committing_at = 0;
    std::size_t resolved_at = 0;
};

/// All that the workers of one test have reported.
struct history {
    std::vector<append_call> calls;
    std::vector<delivery> deliveries;
    /// Runs that were stopped for a while, so that what they report may be late.
    std::set<int> stopped;
};

/// Adds the lines of one report.
void read_report(std::vector<std::string> const& lines, history& into);

}  // namespace minibatch::test
