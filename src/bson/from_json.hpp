#pragma once

#include <boost/json/value.hpp>
#include <string_view>

#include "bson/document.hpp"

namespace minibatch::bson {

/// The BSON of one JSON object. Integers become int32 where they fit, else int64; other numbers become doubles,
/// exactly; wrappers of Extended JSON become what they stand for (see extended_json.hpp) except for the object itself;
/// fields keep their order, also where a key is there twice. Throws `error` with `errc::invalid_document`, which names
/// the place inside the document, or `errc::document_too_large`, by the rules of `encode_document_text`. Thread-safe.
document from_json(std::string_view text);

/// The same for a value, by the rules of `encode_document`.
document from_value(boost::json::value const& value);

}  // namespace minibatch::bson
