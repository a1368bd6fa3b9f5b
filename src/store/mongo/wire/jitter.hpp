#pragma once

#include <random>

#include "store/types.hpp"

namespace minibatch::store::mongo {

/// A random time in [least, most], so that those that stopped together do not continue together.
inline milliseconds at_random(milliseconds least, milliseconds most) {
    thread_local std::minstd_rand random(std::random_device{}());
    return milliseconds(std::uniform_int_distribution<std::int64_t>(least.count(), most.count())(random));
}

}  // namespace minibatch::store::mongo
