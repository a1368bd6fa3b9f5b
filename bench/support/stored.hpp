#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bench {

/// What a minibatch database holds, read without minibatch: the numbers of the documents in the order of their offsets,
/// and how many of them are in each segment.
struct stored {
    std::vector<std::int64_t> numbers;
    std::vector<std::int64_t> sizes;

    std::int64_t mean_size() const { return static_cast<std::int64_t>(numbers.size() / sizes.size()); }
};
/// Of an SQLite database. Throws if the offsets have gaps.
stored read_stored(std::string const& path);

/// Throws unless documents 0 … count-1 are stored in this order.
void require_in_order(stored const& found, std::int64_t count);
/// Throws unless each of the documents 0 … count-1 is stored once.
void require_each_once(stored const& found, std::int64_t count);

}  // namespace bench
