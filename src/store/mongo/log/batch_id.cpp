#include "store/mongo/log/batch_id.hpp"

#include <cstdio>
#include <functional>
#include <random>

namespace minibatch::store::mongo {

std::string random_id() {
    // From the system each time: a generator of our own would produce the same numbers in both processes after a fork.
    thread_local std::random_device random;
    char text[24];
    std::snprintf(text, sizeof text, "%08x%08x", random(), random());
    return text;
}

std::string stored_batch(std::string const& batch, std::string_view text) {
    char sum[24];
    std::snprintf(sum, sizeof sum, "-%016zx", std::hash<std::string_view>()(text));
    return batch + sum;
}

}  // namespace minibatch::store::mongo
