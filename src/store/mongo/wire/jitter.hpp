#pragma once

#include <random>

#include "store/types.hpp"

namespace minibatch::store::mongo {

/// A time between the two, both included: so that those who were stopped together do not go on together.
inline milliseconds at_random(milliseconds least, milliseconds most) {
    thread_local std::minstd_rand random(std::random_device{}());
    return milliseconds(std::uniform_int_distribution<std::int64_t>(least.count(), most.count())(random));
}

}  // namespace minibatch::store::mongo
