#pragma once

#include "mongo/operations.hpp"

/// Words for what is expected of operations.
namespace minibatch::test {

/// For what is no operation under test.
inline constexpr milliseconds calm{20'000};

inline constexpr auto scene_text = R"({"i":0}{"i":1}{"i":2}{"i":3}{"i":4})";

inline std::string number(std::int64_t value) { return std::to_string(value); }

/// What is wrong: empty if it is as wanted, or, where that is as good, still as it was.
inline std::string expect(std::string const& what, std::string const& is, std::string const& wanted,
                          bool or_nothing = false, std::string const& nothing = {}) {
    if (is == wanted || (or_nothing && is == nothing)) return {};
    return what + " is '" + is + "', not '" + wanted + "'";
}

/// The documents of a log, one after the other.
std::string text_of(minibatch::store::store& of, log_id log);

group_state group_of(scene& at);
/// The progress after the first record.
progress one_further(scene const& at);

std::vector<operation> log_operations();
std::vector<operation> group_operations();

}  // namespace minibatch::test
