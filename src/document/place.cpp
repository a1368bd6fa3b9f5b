#include "document/place.hpp"

#include "document/utf8.hpp"

namespace minibatch::document {
namespace {

void append_hex(std::string& out, unsigned char byte) {
    constexpr std::string_view digits = "0123456789abcdef";
    out += digits[byte >> 4U];
    out += digits[byte & 15U];
}

/// Cuts before the character that does not fit, never inside one.
std::string_view cut(std::string_view text, std::size_t bytes) {
    if (text.size() <= bytes) return text;
    while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0U) == 0x80U) --bytes;
    return text.substr(0, bytes);
}

}  // namespace

void append_step(std::string& pointer, std::string_view key) {
    auto const shown = cut(key, shown_key_bytes);
    bool const readable = is_utf8(shown);
    pointer += '/';
    for (char const c : shown) {
        auto const byte = static_cast<unsigned char>(c);
        if (c == '~') {
            pointer += "~0";
        } else if (c == '/') {
            pointer += "~1";
        } else if (byte < 0x20 || byte == 0x7F) {
            pointer += "\\u00";
            append_hex(pointer, byte);
        } else if (byte >= 0x80 && !readable) {
            pointer += "\\x";
            append_hex(pointer, byte);
        } else {
            pointer += c;
        }
    }
    if (shown.size() < key.size()) pointer += "…";
}

void append_step(std::string& pointer, std::size_t index) {
    pointer += '/';
    pointer += std::to_string(index);
}

std::string pointer_of(step const* at) {
    if (at == nullptr) return {};
    auto pointer = pointer_of(at->parent);
    if (at->in_array) {
        append_step(pointer, at->index);
    } else {
        append_step(pointer, at->key);
    }
    return pointer;
}

std::string shortened(std::string_view text, std::size_t bytes) {
    auto const shown = cut(text, bytes);
    std::string result(shown);
    if (shown.size() < text.size()) result += "…";
    return result;
}

error invalid_at(std::string const& pointer, std::string_view what) {
    std::string text;
    if (!pointer.empty()) text = "at " + pointer + ": ";
    text += what;
    return error(errc::invalid_document, std::move(text));
}

error too_large() {
    return error(errc::document_too_large, "the document is larger than 15 MiB (15728640 bytes) as JSON text");
}

}  // namespace minibatch::document
