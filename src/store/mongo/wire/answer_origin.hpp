#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace minibatch::store::mongo {

/// A logical time of the cluster: seconds by the primary's clock, and a counter. It never goes back, also when the
/// primary's clock does.
struct cluster_time {
    std::uint32_t seconds = 0;
    std::uint32_t increment = 0;
    friend auto operator<=>(cluster_time const&, cluster_time const&) = default;
};

/// The connection on which an answer came.
struct route {
    std::size_t server = 0;        // a hash of its address
    std::uint64_t connection = 0;  // numbered in the order in which they were made; 0: unknown
    std::uint64_t newest = 0;      // the highest number when the answer came
};

/// When an answer was given, by the server's own time, and on which connection. A standalone server gives no time.
struct answer_origin {
    std::optional<cluster_time> time;
    route via;
};

/// Whether the server that gave `later` has also given `earlier`, without a reconnection between the two.
inline bool same_server(route const& earlier, route const& later) noexcept {
    return earlier.connection != 0 && later.connection != 0 && earlier.server == later.server &&
           later.connection <= earlier.newest;
}

/// Whether less than `limit` has passed on the server from one answer to the other. False when that is not certain. No
/// clock of this machine is asked: all of them stand still while the machine is paused.
inline bool given_within(answer_origin const& earlier, answer_origin const& later,
                         std::chrono::seconds limit) noexcept {
    if (!earlier.time || !later.time || *later.time < *earlier.time) return false;
    return same_server(earlier.via, later.via) && later.time->seconds - earlier.time->seconds < limit.count();
}

}  // namespace minibatch::store::mongo
