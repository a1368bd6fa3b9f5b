#include "bson/extended_json.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <minibatch/document.hpp>
#include <optional>
#include <string_view>

#include "bson/document.hpp"
#include "bson/iso_date.hpp"

namespace minibatch::bson {
namespace {

constexpr std::string_view decimal_digits = "0123456789";
constexpr std::string_view hex_digits = "0123456789abcdefABCDEF";

/// The one or two fields of a wrapper, or of the object inside it.
struct wrapper_fields {
    std::size_t count = 0;
    std::array<element, 2> field;
};

std::optional<wrapper_fields> fields_of(std::span<std::uint8_t const> object) {
    wrapper_fields result;
    reader from(object);
    element next;
    while (from.next(next)) {
        if (result.count == result.field.size()) return std::nullopt;
        result.field[result.count++] = next;
    }
    return result;
}

/// The fields `first` and `second` of the object in `value`, if it is one with just these, in any order.
std::optional<wrapper_fields> pair_in(element const& value, std::string_view first, std::string_view second) {
    if (value.type != BSON_TYPE_DOCUMENT) return std::nullopt;
    auto found = fields_of(value.value);
    if (!found || found->count != 2) return std::nullopt;
    if (found->field[0].key != first) std::swap(found->field[0], found->field[1]);
    if (found->field[0].key != first || found->field[1].key != second) return std::nullopt;
    return found;
}

/// The text of the only field of the object in `value`, if that is its key and it is a string.
std::optional<std::string_view> string_in(element const& value, std::string_view key) {
    if (value.type != BSON_TYPE_DOCUMENT) return std::nullopt;
    auto const found = fields_of(value.value);
    if (!found || found->count != 1) return std::nullopt;
    auto const& only = found->field[0];
    if (only.key != key || only.type != BSON_TYPE_UTF8) return std::nullopt;
    return only.text();
}

bool consists_of(std::string_view text, std::string_view allowed) {
    return text.find_first_not_of(allowed) == std::string_view::npos;
}

/// A whole number as JSON writes it, within the range of the type.
template <class Integer>
std::optional<Integer> integer(std::string_view text) {
    auto const unsigned_part = text.substr(text.starts_with('-') ? 1 : 0);
    if (unsigned_part.size() > 1 && unsigned_part.front() == '0') return std::nullopt;
    Integer value = 0;
    auto const* const end = text.data() + text.size();
    auto const read = std::from_chars(text.data(), end, value);
    if (read.ec != std::errc{} || read.ptr != end) return std::nullopt;
    return value;
}

bool number_double(std::string_view text, bytes& out) {
    double value = 0;
    if (text == "NaN") {
        value = std::numeric_limits<double>::quiet_NaN();
    } else if (text == "Infinity" || text == "-Infinity") {
        value = text.front() == '-' ? -HUGE_VAL : HUGE_VAL;
    } else {
        if (text.empty() || !consists_of(text, "0123456789.eE+-")) return false;
        auto const* const end = text.data() + text.size();
        auto const read = std::from_chars(text.data(), end, value);
        if (read.ec != std::errc{} || read.ptr != end) return false;
    }
    out.put_double(value);
    return true;
}

bool number_decimal(std::string_view text, bytes& out) {
    // libbson wraps exponents of more than 32 bits; no decimal that it can hold needs as much text.
    constexpr std::size_t longest = 100;
    constexpr std::size_t longest_exponent = 6;
    if (text.empty() || text.size() > longest) return false;
    auto const exponent = text.find_first_of("eE");
    if (text.find_first_of(decimal_digits) != std::string_view::npos) {
        if (!consists_of(text, "0123456789.eE+-")) return false;
        if (exponent != std::string_view::npos && text.size() - exponent > longest_exponent + 1) return false;
    } else if (text != "NaN" && text != "Infinity" && text != "-Infinity") {
        return false;
    }
    bson_decimal128_t value{};
    // It refuses what would have to be rounded.
    if (!bson_decimal128_from_string_w_len(text.data(), static_cast<int>(text.size()), &value)) return false;
    out.put_number(value.low);
    out.put_number(value.high);
    return true;
}

bool object_id(std::string_view text, bytes& out) {
    if (text.size() != 24 || !consists_of(text, hex_digits)) return false;
    bson_oid_t id;
    bson_oid_init_from_string(&id, std::string(text).c_str());
    out.put(id.bytes, sizeof id.bytes);
    return true;
}

bool date(element const& value, std::size_t depth, bytes& out) {
    std::optional<std::int64_t> time;
    if (value.type == BSON_TYPE_UTF8) {
        time = parse_iso_date(value.text());
        // Such a date comes back as `$numberLong`, one level deeper, which must still be allowed.
        if (time && depth >= max_document_depth && (*time < 0 || *time > last_iso_date)) return false;
    } else if (auto const text = string_in(value, "$numberLong")) {
        time = integer<std::int64_t>(*text);
    }
    if (!time) return false;
    out.put_number(*time);
    return true;
}

/// Whether it is base64 in the one form that its bytes have.
bool is_base64(std::string_view text) {
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (text.size() % 4 != 0) return false;
    if (text.empty()) return true;
    std::size_t const padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
    text.remove_suffix(padding);
    if (!consists_of(text, alphabet)) return false;
    auto const unused_bits = padding == 2 ? 0xFU : padding == 1 ? 3U : 0U;
    return (alphabet.find(text.back()) & unused_bits) == 0;
}

bool binary(element const& value, bytes& out) {
    auto const inside = pair_in(value, "base64", "subType");
    if (!inside || inside->field[0].type != BSON_TYPE_UTF8 || inside->field[1].type != BSON_TYPE_UTF8) return false;
    auto const base64 = inside->field[0].text();
    auto const subtype = inside->field[1].text();
    if (subtype.empty() || subtype.size() > 2 || !consists_of(subtype, hex_digits) || !is_base64(base64)) return false;

    std::string json = R"({"v":{"$binary":{"base64":")";
    json.append(base64).append(R"(","subType":")").append(subtype).append(R"("}}})");
    auto const* const data = reinterpret_cast<std::uint8_t const*>(json.data());
    auto* const allocated = bson_new_from_json(data, static_cast<ssize_t>(json.size()), nullptr);
    if (allocated == nullptr) return false;
    document const parsed(allocated);
    auto const result = fields_of(parsed.bytes());
    if (!result || result->count != 1 || result->field[0].type != BSON_TYPE_BINARY) return false;
    out.put(result->field[0].value);
    return true;
}

bool timestamp(element const& value, bytes& out) {
    auto const inside = pair_in(value, "t", "i");
    if (!inside) return false;
    std::array<std::uint32_t, 2> parts{};
    for (std::size_t i = 0; i < 2; ++i) {
        auto const& field = inside->field[i];
        std::int64_t number = -1;
        if (field.type == BSON_TYPE_INT32) number = field.number<std::int32_t>();
        if (field.type == BSON_TYPE_INT64) number = field.number<std::int64_t>();
        if (number < 0 || number > std::numeric_limits<std::uint32_t>::max()) return false;
        parts[i] = static_cast<std::uint32_t>(number);
    }
    out.put_number(parts[1]);
    out.put_number(parts[0]);
    return true;
}

bool regular_expression(element const& value, bytes& out) {
    auto const inside = pair_in(value, "pattern", "options");
    if (!inside || inside->field[0].type != BSON_TYPE_UTF8 || inside->field[1].type != BSON_TYPE_UTF8) return false;
    auto const pattern = inside->field[0].text();
    std::string options(inside->field[1].text());
    if (pattern.find('\0') != std::string_view::npos || !consists_of(options, "ilmsux")) return false;
    std::sort(options.begin(), options.end());
    if (std::adjacent_find(options.begin(), options.end()) != options.end()) return false;
    out.put(pattern);
    out.put(0);
    out.put(options);
    out.put(0);
    return true;
}

bool pointer(element const& value, bytes& out) {
    auto const inside = pair_in(value, "$ref", "$id");
    if (!inside || inside->field[0].type != BSON_TYPE_UTF8) return false;
    auto const id = string_in(inside->field[1], "$oid");
    if (!id || id->size() != 24 || !consists_of(*id, hex_digits)) return false;
    out.put(inside->field[0].value);
    return object_id(*id, out);
}

template <class Integer>
bool number(std::string_view text, bytes& out) {
    auto const value = integer<Integer>(text);
    if (value) out.put_number(*value);
    return value.has_value();
}

bson_type_t unwrap_string(std::string_view name, element const& value, bytes& out) {
    auto const text = value.text();
    if (name == "$oid") return object_id(text, out) ? BSON_TYPE_OID : BSON_TYPE_EOD;
    if (name == "$numberInt") return number<std::int32_t>(text, out) ? BSON_TYPE_INT32 : BSON_TYPE_EOD;
    if (name == "$numberLong") return number<std::int64_t>(text, out) ? BSON_TYPE_INT64 : BSON_TYPE_EOD;
    if (name == "$numberDouble") return number_double(text, out) ? BSON_TYPE_DOUBLE : BSON_TYPE_EOD;
    if (name == "$numberDecimal") return number_decimal(text, out) ? BSON_TYPE_DECIMAL128 : BSON_TYPE_EOD;
    if (name != "$code" && name != "$symbol") return BSON_TYPE_EOD;
    out.put(value.value);
    return name == "$code" ? BSON_TYPE_CODE : BSON_TYPE_SYMBOL;
}

}  // namespace

bson_type_t unwrap(std::span<std::uint8_t const> object, std::size_t depth, bytes& out) {
    auto const found = fields_of(object);
    if (!found || found->count == 0) return BSON_TYPE_EOD;
    auto const& value = found->field[0];
    if (found->count == 2) {
        auto const& scope = found->field[1];
        if (value.key != "$code" || value.type != BSON_TYPE_UTF8) return BSON_TYPE_EOD;
        if (scope.key != "$scope" || scope.type != BSON_TYPE_DOCUMENT) return BSON_TYPE_EOD;
        out.put_number(static_cast<std::int32_t>(4 + value.value.size() + scope.value.size()));
        out.put(value.value);
        out.put(scope.value);
        return BSON_TYPE_CODEWSCOPE;
    }
    auto const name = value.key;
    if (name == "$date") return date(value, depth, out) ? BSON_TYPE_DATE_TIME : BSON_TYPE_EOD;
    if (value.type == BSON_TYPE_UTF8) return unwrap_string(name, value, out);
    if (name == "$binary") return binary(value, out) ? BSON_TYPE_BINARY : BSON_TYPE_EOD;
    if (name == "$timestamp") return timestamp(value, out) ? BSON_TYPE_TIMESTAMP : BSON_TYPE_EOD;
    if (name == "$regularExpression") return regular_expression(value, out) ? BSON_TYPE_REGEX : BSON_TYPE_EOD;
    if (name == "$dbPointer") return pointer(value, out) ? BSON_TYPE_DBPOINTER : BSON_TYPE_EOD;
    if (value.type == BSON_TYPE_INT32 && value.number<std::int32_t>() == 1) {
        if (name == "$minKey") return BSON_TYPE_MINKEY;
        if (name == "$maxKey") return BSON_TYPE_MAXKEY;
    }
    if (name == "$undefined" && value.type == BSON_TYPE_BOOL && value.value[0] == 1) return BSON_TYPE_UNDEFINED;
    return BSON_TYPE_EOD;
}

}  // namespace minibatch::bson
