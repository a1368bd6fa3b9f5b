#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bench {

/// What a minibatch database holds, read with SQLite alone: the numbers of the documents in the order of their offsets,
/// and how many segments they are in. Throws if the offsets have gaps.
struct stored {
    std::vector<std::int64_t> numbers;
    std::int64_t segments = 0;
};
stored read_stored(std::string const& path);

/// Throws unless documents 0 … count-1 are stored in this order.
void require_in_order(stored const& found, std::int64_t count);
/// Throws unless each of the documents 0 … count-1 is stored once.
void require_each_once(stored const& found, std::int64_t count);

}  // namespace bench
