#pragma once

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "support/seed.hpp"

namespace mongo_model {

/// Calls `run(seed)` for the seeds 1 to `count`. With MINIBATCH_TEST_SOAK_SECONDS it goes on for so long with seeds
/// that follow MINIBATCH_TEST_SEED, which is random if it is not set. `run` returns false to stop. Returns how many
/// ran.
template <class Run>
std::uint32_t for_each_seed(std::uint32_t count, Run const& run) {
    using std::chrono::steady_clock;
    std::uint32_t done = 0;
    while (done < count)
        if (++done; !run(done)) return done;
    auto const* const given = std::getenv("MINIBATCH_TEST_SOAK_SECONDS");
    if (!given) return done;
    // A test of this program has a dozen cases.
    auto const end = steady_clock::now() + std::chrono::seconds(std::stol(given)) / 12;
    static auto next = minibatch::test::seed();
    while (steady_clock::now() < end)
        if (++done; !run(++next)) return done;
    return done;
}

}  // namespace mongo_model
