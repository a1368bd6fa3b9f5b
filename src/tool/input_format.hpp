#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

namespace minibatch::tool {

/// How many bytes at the start of a file tell its format.
inline constexpr std::size_t format_bytes = 6;

/// The file is in a format that the tool does not read. The text names the file, the format, and a program that
/// converts it.
struct wrong_format : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Looks at the first bytes of a file, `format_bytes` of them unless it is shorter. Returns how many of them to skip:
/// those of a byte order mark of UTF-8. Throws wrong_format for compressed files and other encodings than UTF-8.
std::size_t check_format(std::string_view first_bytes, std::string_view file);

/// What is said of a file that is one JSON array.
std::string array_advice();

/// The name of a file for messages: "-" is "standard input".
std::string shown_name(std::string_view file);

}  // namespace minibatch::tool
