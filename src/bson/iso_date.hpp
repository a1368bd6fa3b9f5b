#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace minibatch::bson {

/// 9999-12-31T23:59:59.999Z in milliseconds since the Unix epoch: the last date that is written out.
inline constexpr std::int64_t last_iso_date = 253'402'300'799'999;

/// Milliseconds since the Unix epoch of `2026-11-23T18:36:46.5Z` or `…+01:00`; nothing for a text of another form, a
/// date or time that does not exist, and fractions of a millisecond. By hand, since libbson accepts the latter two.
std::optional<std::int64_t> parse_iso_date(std::string_view text);

/// Appends such a text, in UTC and with three digits of a fraction or none, for 0 … last_iso_date.
void append_iso_date(std::int64_t time, std::string& out);

}  // namespace minibatch::bson
