#pragma once

#include <cstdint>
#include <filesystem>

namespace bench {

/// Starts a Redis server of its own (append-only file, appendfsync always) in a new directory in `parent`, adds so many
/// documents to a stream with XADD over `connections` with `pipeline` requests under way on each, and returns documents
/// a second. One client thread serves all connections, as one event loop would.
double redis_rate(std::filesystem::path const& parent, std::int64_t count, int connections, int pipeline);

}  // namespace bench
