#include "bson/reader.hpp"

#include <optional>

namespace minibatch::bson {
namespace {

using bytes_view = std::span<std::uint8_t const>;

std::optional<std::size_t> length_at(bytes_view bytes) noexcept {
    std::int32_t length = 0;
    if (bytes.size() < sizeof length) return std::nullopt;
    std::memcpy(&length, bytes.data(), sizeof length);
    boost::endian::little_to_native_inplace(length);
    if (length < 0) return std::nullopt;
    return static_cast<std::size_t>(length);
}

/// Each of these gives the size of a value that starts at the front of `bytes`, or nothing when it does not fit.
using size = std::optional<std::size_t>;

size fixed(bytes_view bytes, std::size_t n) noexcept { return bytes.size() >= n ? size(n) : std::nullopt; }

size c_string(bytes_view bytes) noexcept {
    if (bytes.empty()) return std::nullopt;
    auto const* const end = static_cast<std::uint8_t const*>(std::memchr(bytes.data(), 0, bytes.size()));
    if (end == nullptr) return std::nullopt;
    return static_cast<std::size_t>(end - bytes.data()) + 1;
}

size string(bytes_view bytes) noexcept {
    auto const length = length_at(bytes);
    if (!length || *length == 0 || *length > bytes.size() - 4 || bytes[*length + 3] != 0) return std::nullopt;
    return *length + 4;
}

size document_size(bytes_view bytes) noexcept {
    auto const length = length_at(bytes);
    if (!length || *length < 5 || *length > bytes.size() || bytes[*length - 1] != 0) return std::nullopt;
    return *length;
}

size binary(bytes_view bytes) noexcept {
    auto const length = length_at(bytes);
    if (!length || bytes.size() < 5 || *length > bytes.size() - 5) return std::nullopt;
    if (bytes[4] == BSON_SUBTYPE_BINARY_DEPRECATED) {
        // This subtype repeats the length inside.
        auto const inner = length_at(bytes.subspan(5, *length));
        if (!inner || *inner != *length - 4) return std::nullopt;
    }
    return *length + 5;
}

size regular_expression(bytes_view bytes) noexcept {
    auto const pattern = c_string(bytes);
    if (!pattern) return std::nullopt;
    auto const options = c_string(bytes.subspan(*pattern));
    if (!options) return std::nullopt;
    return *pattern + *options;
}

size pointer(bytes_view bytes) noexcept {
    auto const collection = string(bytes);
    if (!collection || bytes.size() - *collection < 12) return std::nullopt;
    return *collection + 12;
}

size code_with_scope(bytes_view bytes) noexcept {
    auto const length = length_at(bytes);
    if (!length || *length < 4 || *length > bytes.size()) return std::nullopt;
    auto const inside = bytes.subspan(4, *length - 4);
    auto const code = string(inside);
    if (!code) return std::nullopt;
    auto const scope = document_size(inside.subspan(*code));
    if (!scope || *code + *scope != inside.size()) return std::nullopt;
    return *length;
}

size size_of(std::uint8_t type, bytes_view bytes) noexcept {
    switch (type) {
        case BSON_TYPE_DOUBLE:
        case BSON_TYPE_DATE_TIME:
        case BSON_TYPE_TIMESTAMP:
        case BSON_TYPE_INT64:
            return fixed(bytes, 8);
        case BSON_TYPE_UTF8:
        case BSON_TYPE_CODE:
        case BSON_TYPE_SYMBOL:
            return string(bytes);
        case BSON_TYPE_DOCUMENT:
        case BSON_TYPE_ARRAY:
            return document_size(bytes);
        case BSON_TYPE_BINARY:
            return binary(bytes);
        case BSON_TYPE_UNDEFINED:
        case BSON_TYPE_NULL:
        case BSON_TYPE_MINKEY:
        case BSON_TYPE_MAXKEY:
            return 0;
        case BSON_TYPE_OID:
            return fixed(bytes, 12);
        case BSON_TYPE_BOOL:
            return !bytes.empty() && bytes[0] <= 1 ? size(1) : std::nullopt;
        case BSON_TYPE_REGEX:
            return regular_expression(bytes);
        case BSON_TYPE_DBPOINTER:
            return pointer(bytes);
        case BSON_TYPE_CODEWSCOPE:
            return code_with_scope(bytes);
        case BSON_TYPE_INT32:
            return fixed(bytes, 4);
        case BSON_TYPE_DECIMAL128:
            return fixed(bytes, 16);
        default:
            return std::nullopt;
    }
}

}  // namespace

std::string_view element::text_at(bytes_view bytes) noexcept {
    return {reinterpret_cast<char const*>(bytes.data()) + 4, length_at(bytes).value_or(1) - 1};
}

reader::reader(bytes_view whole) noexcept {
    if (document_size(whole) != whole.size()) {
        damage();
    } else {
        rest_ = whole.subspan(4, whole.size() - 5);
    }
}

bool reader::next(element& to) noexcept {
    if (rest_.empty()) return false;
    auto const type = rest_[0];
    auto const key = c_string(rest_.subspan(1));
    if (!key) return damage();
    auto const behind = rest_.subspan(1 + *key);
    auto const n = size_of(type, behind);
    if (!n) return damage();
    to.type = static_cast<bson_type_t>(type);
    to.key = {reinterpret_cast<char const*>(rest_.data()) + 1, *key - 1};
    to.value = behind.first(*n);
    rest_ = behind.subspan(*n);
    return true;
}

bool reader::damage() noexcept {
    rest_ = {};
    damaged_ = true;
    return false;
}

}  // namespace minibatch::bson
