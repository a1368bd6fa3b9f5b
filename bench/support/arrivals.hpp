#pragma once

#include <cstdint>
#include <minibatch/stream.hpp>
#include <vector>

namespace bench {

/// Appends the documents with the numbers from `first` at a fixed rate (documents a second), each in a coroutine of its
/// own, whether or not those before are durable yet. Returns, by arrival, the milliseconds from the moment at which the
/// append was to begin until it had returned: being late with beginning counts, too.
std::vector<double> append_at_rate(minibatch::stream const& stream, std::int64_t first, std::int64_t count,
                                   double rate);

}  // namespace bench
