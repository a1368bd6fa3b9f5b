#pragma once

#include <bson/bson.h>

#include <boost/json/value.hpp>
#include <cstdint>
#include <span>
#include <string>

#include "document/place.hpp"

namespace minibatch::bson {

/// A BSON document as one line of relaxed Extended JSON (see extended_json.hpp), which `decode_document` reads. Doubles
/// have the fewest digits that give the same number, and always a point or an exponent; int32 and int64 look the same;
/// the bits of a NaN and the keys of arrays are lost. Fields keep their order, also where a key is there twice.
/// Plain objects of the shape of a wrapper, which other programs may have stored, cannot be told from one in JSON.
/// The document may come from anywhere. Throws `error` that names the place inside it: `errc::corrupt` for what is not
/// BSON, or not UTF-8; `errc::invalid_document` when it, wrappers included, nests deeper than `max_document_depth`.
/// Thread-safe.
std::string to_json(bson_t const& document);

/// The same as a value. Of several fields with the same key only the last one is in it.
boost::json::value to_value(bson_t const& document);

/// Appends the line to `out`; when it throws, `out` ends anywhere. `at` is the place of the document, for error texts.
void append_json(std::span<std::uint8_t const> document, minibatch::document::step const* at, std::string& out);

}  // namespace minibatch::bson
