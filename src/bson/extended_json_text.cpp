#include <bson/bson.h>

#include <array>
#include <charconv>
#include <cmath>
#include <minibatch/error.hpp>

#include "bson/extended_json.hpp"
#include "bson/iso_date.hpp"
#include "document/utf8.hpp"

namespace minibatch::bson {
namespace {

template <class Number>
void append_number(Number value, std::string& out) {
    std::array<char, 32> text;
    out.append(text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr);
}

void append_hex(std::span<std::uint8_t const> bytes, std::string& out) {
    constexpr std::string_view hex_alphabet = "0123456789abcdef";
    for (auto const byte : bytes) {
        out += hex_alphabet[byte >> 4U];
        out += hex_alphabet[byte & 15U];
    }
}

void append_oid(std::span<std::uint8_t const> bytes, std::string& out) {
    out += R"({"$oid":")";
    append_hex(bytes, out);
    out += "\"}";
}

void append_date(std::int64_t time, std::string& out) {
    out += R"({"$date":)";
    if (time < 0 || time > last_iso_date) {
        out += R"({"$numberLong":")";
        append_number(time, out);
        out += "\"}}";
        return;
    }
    out += '"';
    append_iso_date(time, out);
    out += "\"}";
}

void append_binary(element const& value, std::string& out) {
    // A document with this one value, for libbson's base64.
    bytes whole;
    whole.put_number(std::int32_t{0});
    whole.put(BSON_TYPE_BINARY);
    whole.put(std::string_view("v\0", 2));
    whole.put(value.value);
    whole.put(0);
    whole.set_length(0, whole.size());
    bson_t view;
    char* text = nullptr;
    std::size_t length = 0;
    if (bson_init_static(&view, whole.data(), whole.size())) text = bson_as_relaxed_extended_json(&view, &length);
    if (text == nullptr) throw error(errc::corrupt, "libbson does not print a binary value");
    std::string_view const json(text, length);
    constexpr std::string_view name = "\"base64\"";
    auto const start = json.find('"', json.find(name) + name.size()) + 1;
    out += R"({"$binary":{"base64":")";
    out += json.substr(start, json.find('"', start) - start);
    bson_free(text);
    out += R"(","subType":")";
    append_hex(value.value.subspan(4, 1), out);
    out += "\"}}";
}

bool append_regular_expression(element const& value, std::string& out) {
    auto const* const pattern = reinterpret_cast<char const*>(value.value.data());
    std::string_view const first(pattern);
    std::string_view const second(pattern + first.size() + 1);
    out += R"({"$regularExpression":{"pattern":)";
    bool valid = append_quoted(first, out);
    out += R"(,"options":)";
    valid = append_quoted(second, out) && valid;
    out += "}}";
    return valid;
}

bool append_pointer(element const& value, std::string& out) {
    out += R"({"$dbPointer":{"$ref":)";
    bool const valid = append_quoted(value.text(), out);
    out += R"(,"$id":)";
    append_oid(value.value.last(12), out);
    out += "}}";
    return valid;
}

void append_decimal(element const& value, std::string& out) {
    bson_decimal128_t number;
    number.low = value.number<std::uint64_t>(0);
    number.high = value.number<std::uint64_t>(8);
    std::array<char, BSON_DECIMAL128_STRING> text{};
    bson_decimal128_to_string(&number, text.data());
    out += R"({"$numberDecimal":")";
    out += text.data();
    out += "\"}";
}

void append_special_double(double value, std::string& out) {
    out += R"({"$numberDouble":")";
    out += std::isnan(value) ? "NaN" : value < 0 ? "-Infinity" : "Infinity";
    out += "\"}";
}

bool append_text(std::string_view before, std::string_view text, std::string& out) {
    out += before;
    bool const valid = append_quoted(text, out);
    out += '}';
    return valid;
}

void append_escape(char c, std::string& out) {
    auto const byte = static_cast<unsigned char>(c);
    out += '\\';
    if (byte >= 0x20) {
        out += c;
    } else if (byte >= 8 && byte <= 13 && byte != 11) {
        out += "btn?fr"[byte - 8];
    } else {
        out += "u00";
        append_hex(std::array{byte}, out);
    }
}

/// Bit 7 of each byte that is not ASCII, below 0x20, a quotation mark or a backslash; bytes above such a one may be
/// marked, too.
std::uint64_t special(std::uint64_t eight) noexcept {
    constexpr std::uint64_t ones = 0x0101010101010101U;
    constexpr std::uint64_t high = ones * 0x80;
    auto const zero = [](std::uint64_t x) { return (x - ones) & ~x; };
    return (eight | (eight - ones * 0x20) | zero(eight ^ (ones * '"')) | zero(eight ^ (ones * '\\'))) & high;
}

bool is_special(char c) noexcept { return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\'; }

}  // namespace

std::size_t wrapper_levels(element const& value) noexcept {
    switch (value.type) {
        case BSON_TYPE_DOUBLE:
            return std::isfinite(value.as_double()) ? 0 : 1;
        case BSON_TYPE_DATE_TIME: {
            auto const time = value.number<std::int64_t>();
            return time < 0 || time > last_iso_date ? 2 : 1;
        }
        case BSON_TYPE_UNDEFINED:
        case BSON_TYPE_OID:
        case BSON_TYPE_CODE:
        case BSON_TYPE_SYMBOL:
        case BSON_TYPE_CODEWSCOPE:
        case BSON_TYPE_DECIMAL128:
        case BSON_TYPE_MINKEY:
        case BSON_TYPE_MAXKEY:
            return 1;
        case BSON_TYPE_BINARY:
        case BSON_TYPE_REGEX:
        case BSON_TYPE_TIMESTAMP:
            return 2;
        case BSON_TYPE_DBPOINTER:
            return 3;
        default:
            return 0;
    }
}

bool wrap(element const& value, std::string& out) {
    switch (value.type) {
        case BSON_TYPE_DOUBLE:
            append_special_double(value.as_double(), out);
            return true;
        case BSON_TYPE_DATE_TIME:
            append_date(value.number<std::int64_t>(), out);
            return true;
        case BSON_TYPE_OID:
            append_oid(value.value, out);
            return true;
        case BSON_TYPE_BINARY:
            append_binary(value, out);
            return true;
        case BSON_TYPE_DECIMAL128:
            append_decimal(value, out);
            return true;
        case BSON_TYPE_TIMESTAMP:
            out += R"({"$timestamp":{"t":)";
            append_number(value.number<std::uint32_t>(4), out);
            out += R"(,"i":)";
            append_number(value.number<std::uint32_t>(0), out);
            out += "}}";
            return true;
        case BSON_TYPE_CODE:
            return append_text(R"({"$code":)", value.text(), out);
        case BSON_TYPE_SYMBOL:
            return append_text(R"({"$symbol":)", value.text(), out);
        case BSON_TYPE_CODEWSCOPE: {
            out += R"({"$code":)";
            bool const valid = append_quoted(element::text_at(value.value.subspan(4)), out);
            out += R"(,"$scope":)";
            return valid;
        }
        case BSON_TYPE_REGEX:
            return append_regular_expression(value, out);
        case BSON_TYPE_DBPOINTER:
            return append_pointer(value, out);
        case BSON_TYPE_MINKEY:
            out += R"({"$minKey":1})";
            return true;
        case BSON_TYPE_MAXKEY:
            out += R"({"$maxKey":1})";
            return true;
        default:
            out += R"({"$undefined":true})";
            return true;
    }
}

bool append_quoted(std::string_view text, std::string& out) {
    std::size_t plain = 0;
    std::uint64_t eight = 0;
    for (; text.size() - plain >= sizeof eight; plain += sizeof eight) {
        std::memcpy(&eight, text.data() + plain, sizeof eight);
        if (special(eight) != 0) break;
    }
    bool ascii = true;
    for (; plain < text.size() && ascii && !is_special(text[plain]); ++plain) {
        ascii = static_cast<unsigned char>(text[plain]) < 0x80;
    }
    out += '"';
    if (plain == text.size() && ascii) {
        out += text;
        out += '"';
        return true;
    }
    if (!minibatch::document::is_utf8(text)) return false;
    while (!text.empty()) {
        auto const run = static_cast<std::size_t>(std::find_if(text.begin(), text.end(), is_special) - text.begin());
        out += text.substr(0, run);
        text.remove_prefix(run);
        if (text.empty()) break;
        append_escape(text.front(), out);
        text.remove_prefix(1);
    }
    out += '"';
    return true;
}

}  // namespace minibatch::bson
