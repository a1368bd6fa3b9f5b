#pragma once

#include <string_view>

namespace minibatch::document {

/// Whether the text is valid UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text) noexcept;
bool is_ascii(std::string_view text) noexcept;

}  // namespace minibatch::document
