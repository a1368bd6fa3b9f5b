#pragma once

#include <boost/json/storage_ptr.hpp>
#include <boost/json/value.hpp>
#include <cstddef>
#include <minibatch/error.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace minibatch {

/// Largest document, in bytes of its encoded text.
inline constexpr std::size_t max_document_bytes = std::size_t{15} * 1024 * 1024;
/// How deep objects and arrays may nest; the document itself is level 1.
inline constexpr std::size_t max_document_depth = 100;

/// A document as it is stored, or why it cannot be stored. The text is one JSON object without a raw line break.
struct encoded_document {
    std::string text;
    /// `errc::invalid_document` or `errc::document_too_large`; the sentence names the place inside the document.
    std::optional<error> problem;
};

/// Checks a document and writes it as JSON text. A document is an object; its integers fit an int64, its other numbers
/// are finite, its keys hold no NUL, its keys and strings are valid UTF-8, and it stays within the limits above.
[[nodiscard]] encoded_document encode_document(boost::json::value const& document);

/// The same for JSON text, which is kept as it is, without the white space around it and with spaces in place of raw
/// line breaks. Positions in error texts count bytes from 1.
[[nodiscard]] encoded_document encode_document_text(std::string_view json);

/// Reads the text of a document, whoever has encoded it. Numbers come back exactly: the double that is nearest
/// to the digits, where Boost.JSON 1.81 may be off in the last bit. Throws `error` with `errc::corrupt`
/// when the text is not JSON.
[[nodiscard]] boost::json::value decode_document(std::string_view text, boost::json::storage_ptr storage = {});

}  // namespace minibatch
