#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/error.hpp>
#include <cstring>
#include <minibatch/document.hpp>
#include <optional>

#include "document/place.hpp"
#include "document/text_check.hpp"
#include "document/utf8.hpp"

namespace minibatch {
namespace {

namespace json = boost::json;
using document::text_check;

constexpr std::string_view white_space = " \t\r\n";

std::string_view trimmed(std::string_view text) noexcept {
    auto const begin = text.find_first_not_of(white_space);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(white_space) - begin + 1);
}

/// The words for a character that must not stand where it stands.
std::string unexpected(std::string_view rest) {
    if (rest.empty()) return "the text ends too early";
    auto const byte = static_cast<unsigned char>(rest.front());
    if (byte == '\n' || byte == '\r') return "unexpected line break";
    if (byte > 0x20 && byte < 0x7F) return std::string("unexpected character '") + rest.front() + "'";
    if (byte < 0x80) return "unexpected character with the code " + std::to_string(byte);
    if (rest.starts_with("\xEF\xBB\xBF")) return "unexpected byte order mark";
    for (std::size_t n = 2; n <= 4 && n <= rest.size(); ++n) {
        auto const character = rest.substr(0, n);
        if (document::is_utf8(character)) return "unexpected character '" + std::string(character) + "'";
    }
    return "invalid UTF-8";
}

bool is_hex_digit(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

constexpr std::string_view leading = "89abAB";  // third digits: D800 to DBFF
constexpr std::string_view any_surrogate = "89abcdefABCDEF";

/// Whether the escape of a surrogate begins at `at`, whose third digit is one of these. Not behind an odd number of
/// backslashes, where the escape begins with the one before.
bool surrogate_at(std::string_view json, std::size_t at, std::string_view third_digits) noexcept {
    auto const text = json.substr(at);
    if (text.size() < 6 || !text.starts_with("\\u") || (text[2] != 'd' && text[2] != 'D') ||
        third_digits.find(text[3]) == third_digits.npos || !is_hex_digit(text[4]) || !is_hex_digit(text[5]))
        return false;
    auto const other = json.substr(0, at).find_last_not_of('\\');
    auto const backslashes = at - (other == json.npos ? 0 : other + 1);
    return backslashes % 2 == 0;
}

/// The place of a surrogate without its other half, if that is what the parser has stopped at.
std::optional<std::size_t> lone_surrogate(boost::system::error_code ec, std::string_view json, std::size_t at) {
    constexpr std::size_t escape = 6;
    at = std::min(at, json.size());
    if (ec == json::error::illegal_leading_surrogate || ec == json::error::illegal_trailing_surrogate) {
        // The parser has stopped within the escape, or within the one that should be its other half.
        for (std::size_t back = 0; back <= std::min(at, 2 * escape); ++back) {
            auto const begin = at - back;
            if (!surrogate_at(json, begin, any_surrogate)) continue;
            return begin >= escape && surrogate_at(json, begin - escape, leading) ? begin - escape : begin;
        }
        return at;
    }
    if (ec != json::error::syntax) return std::nullopt;
    // It has read a leading one, and perhaps a backslash, and does not find the next escape.
    for (auto const back : {escape, escape + 1})
        if (at >= back && surrogate_at(json, at - back, leading)) return at - back;
    return std::nullopt;
}

std::string syntax_error(boost::system::error_code ec, std::string_view rest) {
    if (ec == json::error::incomplete) return "the text ends too early";
    if (ec == json::error::syntax) return unexpected(rest);
    return ec.message();
}

error describe(boost::system::error_code ec, text_check const& check, std::string_view json, std::size_t at) {
    auto const pointer = check.pointer();
    if (!check.what().empty()) return document::invalid_at(pointer, check.what());
    if (ec == json::error::too_deep) return document::invalid_at(pointer, "nested deeper than 100 levels");
    if (ec == json::error::exponent_overflow) {
        return document::invalid_at(pointer, "the number does not fit a double-precision number");
    }
    auto const surrogate = lone_surrogate(ec, json, at);
    std::string text = "at byte " + std::to_string(surrogate.value_or(at) + 1);
    if (!pointer.empty()) text += ", in " + pointer;
    text += ": " + (surrogate ? "a lone surrogate, which is no character"
                              : syntax_error(ec, json.substr(std::min(at, json.size()))));
    return error(errc::invalid_document, std::move(text));
}

using parser = json::basic_parser<text_check>;

parser make_parser() {
    json::parse_options options;
    options.max_depth = max_document_depth;
    return parser(options);
}

}  // namespace

encoded_document encode_document_text(std::string_view json) {
    encoded_document result;
    auto const text = trimmed(json);
    if (text.empty()) {
        result.problem = document::invalid_at({}, "the text is empty");
        return result;
    }
    if (text.size() > max_document_bytes) {
        result.problem = document::too_large();
        return result;
    }
    thread_local parser checker = make_parser();
    checker.reset();
    checker.handler().reset();
    boost::system::error_code ec;
    auto const used = checker.write_some(false, text.data(), text.size(), ec);
    auto const at = static_cast<std::size_t>(text.data() - json.data()) + used;
    if (ec) {
        result.problem = describe(ec, checker.handler(), json, at);
        return result;
    }
    if (used != text.size()) {
        result.problem =
            error(errc::invalid_document, "at byte " + std::to_string(at + 1) + ": more text after the document");
        return result;
    }
    result.text.assign(text);
    // JSON allows line breaks between tokens only, so that these are no part of any string.
    if (result.text.find_first_of("\n\r") != std::string::npos) {
        std::replace_if(
            result.text.begin(), result.text.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
    }
    return result;
}

}  // namespace minibatch
