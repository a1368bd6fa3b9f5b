#pragma once

#include <boost/system/error_code.hpp>
#include <cstddef>
#include <string_view>

#include "bson/bytes.hpp"

namespace minibatch::bson {

/// Messages that nest deeper are stored as text: MongoDB takes 100 levels, of which the record of a segment needs two.
inline constexpr std::size_t max_message_depth = 95;

/// How far a text was understood.
struct parsed {
    /// Where it went wrong; success when all of the text was read.
    boost::system::error_code problem;
    std::size_t position = 0;
};

/// Appends a JSON object as BSON. It breaks the rules for documents or is no JSON when there is a problem; the words
/// for it are those of `encode_document_text`. Throws `limit_reached`.
parsed write_document(std::string_view text, bytes& out);

/// Appends the text of a segment with `count` messages as a BSON array. Messages that MongoDB might refuse become
/// strings that hold their text. Throws `limit_reached`.
parsed write_messages(std::string_view text, std::size_t count, bytes& out);

}  // namespace minibatch::bson
