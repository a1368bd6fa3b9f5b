#pragma once

#include <bson/bson.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "bson/bytes.hpp"
#include "bson/reader.hpp"

namespace minibatch::bson {

/// The types of BSON that JSON lacks are written as objects, the wrappers of relaxed MongoDB Extended JSON v2:
/// `$oid`, `$date`, `$binary`, `$numberInt`, `$numberLong`, `$numberDouble`, `$numberDecimal`, `$timestamp`,
/// `$regularExpression`, `$code` (with `$scope`), `$symbol`, `$dbPointer`, `$minKey`, `$maxKey`, `$undefined`.
///
/// Only an object of exactly the documented shape is a wrapper, and only when BSON can hold its value. So these are
/// plain objects: dates that do not exist, leap seconds, or more than milliseconds; decimals of more than 34 digits;
/// base64 with bits that mean nothing; letters that are no option of a regular expression, or one twice; further
/// fields;
/// `$date` with a plain number; the legacy forms, `$uuid` and DBRefs.
///
/// A value comes back in one form: dates from 1970 to 9999 as `2026-11-23T18:36:46.5Z` would, in UTC, with three digits
/// of a fraction or none; other dates as `$numberLong`; object ids in lower case; subtypes of two digits; options of
/// regular expressions in the order of the alphabet; numbers other than decimals, NaN and infinities as plain numbers.

/// Appends the value of a wrapper to `out` and gives its type; EOD, with `out` unchanged, for any other object.
/// `object` has been written field by field, wrappers inside it as plain objects, but for those in a `$scope`. `depth`
/// is its level in the document.
bson_type_t unwrap(std::span<std::uint8_t const> object, std::size_t depth, bytes& out);

/// How many levels the wrapper of such a value nests, `$scope` left out; 0 for what needs no wrapper.
std::size_t wrapper_levels(element const& value) noexcept;

/// Appends the wrapper of a value, for which `wrapper_levels` is not 0. False when a text in it is not valid UTF-8.
/// That of code with a scope is left open behind `"$scope":`.
bool wrap(element const& value, std::string& out);

/// Appends a JSON string. False when the text is not valid UTF-8.
bool append_quoted(std::string_view text, std::string& out);

}  // namespace minibatch::bson
