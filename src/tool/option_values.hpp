#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace minibatch::tool {

/// A whole number in decimal digits, at least `least`. Throws std::invalid_argument with a sentence about the value.
std::int64_t parse_integer(std::string_view text, std::int64_t least);

/// Seconds, decimals allowed, rounded to milliseconds. At most a hundred years. Zero only when `may_be_zero`; never
/// what would round to zero. Throws std::invalid_argument with a sentence about the value.
std::chrono::milliseconds parse_seconds(std::string_view text, bool may_be_zero);

/// The text with control characters as `\x1b`: names and files come from anywhere, and go to a terminal.
std::string printable(std::string_view text);

}  // namespace minibatch::tool
