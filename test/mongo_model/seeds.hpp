#pragma once

#include <chrono>
#include <cstdint>

#include "support/soak.hpp"

namespace mongo_model {

/// Calls `run(seed)` for the seeds 1 to `count`. In the long form it continues with seeds from MINIBATCH_TEST_SEED on,
/// which is random and printed if it is not set. `run` returns false to stop. Returns how many ran.
template <class Run>
std::uint32_t for_each_seed(std::uint32_t count, Run const& run) {
    using std::chrono::steady_clock;
    std::uint32_t done = 0;
    while (done < count)
        if (++done; !run(done)) return done;
    if (!minibatch::test::soaking()) return done;
    static auto next = static_cast<std::uint32_t>(minibatch::test::seed_of_run());
    // The program has a dozen cases.
    auto const end = steady_clock::now() + minibatch::test::soak_duration() / 12;
    while (steady_clock::now() < end)
        if (++done; !run(next++)) return done;
    return done;
}

}  // namespace mongo_model
