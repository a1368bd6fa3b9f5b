#include "tool/option_values.hpp"

#include <charconv>
#include <cmath>
#include <stdexcept>

namespace minibatch::tool {

std::int64_t parse_integer(std::string_view text, std::int64_t least) {
    std::int64_t value = 0;
    auto const [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code == std::errc::result_out_of_range)
        throw std::invalid_argument("'" + std::string(text) + "' is out of range");
    if (code != std::errc{} || end != text.data() + text.size()) {
        throw std::invalid_argument("'" + std::string(text) + "' is not a whole number");
    }
    if (value < least) {
        throw std::invalid_argument("'" + std::string(text) + "' is too small, the least is " + std::to_string(least));
    }
    return value;
}

std::chrono::milliseconds parse_seconds(std::string_view text, bool may_be_zero) {
    constexpr double most = 100.0 * 366 * 24 * 3600;  // a hundred years: far from the end of any integer
    double seconds = 0;
    auto const [end, code] = std::from_chars(text.data(), text.data() + text.size(), seconds, std::chars_format::fixed);
    if (code != std::errc{} || end != text.data() + text.size() || !std::isfinite(seconds)) {
        throw std::invalid_argument("'" + std::string(text) + "' is not a number of seconds");
    }
    if (std::signbit(seconds)) throw std::invalid_argument("'" + std::string(text) + "' is negative");
    if (seconds > most)
        throw std::invalid_argument("'" + std::string(text) + "' seconds are more than a hundred years");
    std::chrono::milliseconds const value(std::llround(seconds * 1000));
    if (value.count() == 0 && !(may_be_zero && seconds == 0)) {
        throw std::invalid_argument("'" + std::string(text) + "' is too short, the least is 0.001 seconds");
    }
    return value;
}

std::string printable(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (char const c : text) {
        auto const byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte != 0x7f) {
            out += c;
        } else {
            out += "\\x";
            out += digits[byte >> 4U];
            out += digits[byte & 15U];
        }
    }
    return out;
}

}  // namespace minibatch::tool
