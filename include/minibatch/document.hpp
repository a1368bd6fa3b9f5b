#pragma once

#include <boost/json/storage_ptr.hpp>
#include <boost/json/value.hpp>
#include <cstddef>
#include <minibatch/error.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace minibatch {

/// Size limit of a document, in bytes of its encoded text.
inline constexpr std::size_t max_document_bytes = std::size_t{15} * 1024 * 1024;
/// Nesting limit of objects and arrays. The document itself is level 1.
inline constexpr std::size_t max_document_depth = 100;

/// A document in its stored form, or the reason why it cannot be stored. The text is one JSON object without a raw line
/// break.
struct encoded_document {
    std::string text;
    /// `errc::invalid_document` or `errc::document_too_large`. The diagnostics name the place inside the document.
    std::optional<error> problem;
};

/// Checks a document and encodes it as JSON text. A document is an object. Its integers fit an int64, its other numbers
/// are finite, its keys contain no NUL, its keys and strings are valid UTF-8, and it is within the limits above.
[[nodiscard]] encoded_document encode_document(boost::json::value const& document);

/// Checks JSON text and keeps it as it is, except that surrounding white space is removed and raw line breaks become
/// spaces. Positions in the diagnostics count bytes from 1.
[[nodiscard]] encoded_document encode_document_text(std::string_view json);

/// Decodes the text of a document. A number becomes the double nearest to its digits; the parser of Boost.JSON 1.81 may
/// differ in the last bit. Throws `error` with `errc::corrupt` if the text is not JSON.
[[nodiscard]] boost::json::value decode_document(std::string_view text, boost::json::storage_ptr storage = {});

}  // namespace minibatch
