#pragma once

#include <chrono>

namespace minibatch::runtime {

/// How long to wait before the n-th repetition (1, 2 …): 100 ms, doubled each time up to 30 s, of which a random part
/// of up to a half is taken off, so that many who failed together do not come back together.
std::chrono::milliseconds back_off_delay(int repetition);

/// Makes the random parts repeatable on this thread, for tests.
void seed_back_off(unsigned seed);

}  // namespace minibatch::runtime
