#pragma once

#include <cstdint>
#include <string>

namespace bench {

/// Documents in a window of `end_to_end_rate`.
inline constexpr std::int64_t window_size = 100;
/// The source is drawn from as fast as the windows are dealt with, as Bytewax does it, with so many documents between.
inline constexpr std::int64_t producer_lead = 100'000;

/// Append, count windows, every document decoded and visited, commit, trimming on, all at the same time on one handle
/// of the database, with so many windows in flight; `count` is a multiple of `window_size`. Documents a second until
/// the last commit.
double end_to_end_rate(std::string const& url, std::int64_t count, int in_flight);

}  // namespace bench
