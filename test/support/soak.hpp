#pragma once

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <random>
#include <string>

/// Tests that depend on chance have a short form for every run and a long one, which `tools/test --soak` asks for. Two
/// environment variables steer them: MINIBATCH_TEST_SEED is the seed to repeat; MINIBATCH_TEST_SOAK_SECONDS is how long
/// the long form takes.
namespace minibatch::test {

/// The number in an environment variable, if it is set.
inline std::optional<std::uint64_t> number_in_environment(char const* name) {
    char const* const text = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
    return text && *text != '\0' ? std::optional(static_cast<std::uint64_t>(std::stoull(text))) : std::nullopt;
}

/// The seed to repeat, else a random one. It is printed, as MINIBATCH_TEST_SEED=NUMBER.
inline std::uint64_t seed_of_run() {
    std::uint64_t const seed = number_in_environment("MINIBATCH_TEST_SEED").value_or(std::random_device{}());
    std::cout << "MINIBATCH_TEST_SEED=" << seed << std::endl;
    return seed;
}

/// How long the long form takes; zero in the short form.
inline std::chrono::seconds soak_duration() {
    return std::chrono::seconds(number_in_environment("MINIBATCH_TEST_SOAK_SECONDS").value_or(0));
}

inline bool soaking() { return soak_duration().count() > 0; }

/// Calls `round(seed)` once in the short form. In the long form it is called with new seeds until the time is over, of
/// which each of several `sharers` in one program has its part.
template <class Round>
void repeat_with_seeds(Round const& round, int sharers = 1) {
    auto const end = std::chrono::steady_clock::now() + std::chrono::milliseconds(soak_duration()) / sharers;
    do {
        auto const seed = seed_of_run();
        BOOST_TEST_CONTEXT("MINIBATCH_TEST_SEED=" << seed) { round(seed); }
    } while (!number_in_environment("MINIBATCH_TEST_SEED") && std::chrono::steady_clock::now() < end);
}

}  // namespace minibatch::test
