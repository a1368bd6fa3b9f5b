#pragma once

#include <bson/bson.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace minibatch::bson {

/// MongoDB stores documents of up to 16 MiB; the rest is left for the command around them.
inline constexpr std::size_t max_record_bytes = std::size_t{16} * 1024 * 1024 - std::size_t{64} * 1024;

/// Appends the text of a segment (see log::segment_text) with `count` messages to `into`, as an array under `key` with
/// a document for each message. A message that MongoDB might refuse or change becomes a string that holds its text: one
/// that nests deeper than 95 levels, or in which the key of an object other than a wrapper of Extended JSON begins with
/// `$`. Gives false, and leaves `into` as it was, when `into` would become larger than `most` bytes; little more than
/// that is ever built. Throws `error` with `errc::corrupt` when the text is not that of a segment with so many
/// messages.
bool append_messages(bson_t& into, std::string_view key, std::string_view segment_text, std::int64_t count,
                     std::size_t most = max_record_bytes);

/// The text of a segment from an array that `append_messages` has written, at which `array` stands. Throws `error` with
/// `errc::corrupt`, naming the element, when one is neither a document nor a string that holds the text of one, or when
/// there are more or fewer than `count`.
std::string messages_text(bson_iter_t const& array, std::int64_t count);

}  // namespace minibatch::bson
