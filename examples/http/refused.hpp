#pragma once

#include <boost/beast/http/status.hpp>
#include <charconv>
#include <ostream>  // for Boost, whose string_view needs it
#include <string>
#include <string_view>

/// The answer to a request that cannot be served.
struct refused {
    boost::beast::http::status status;
    std::string reason;
    std::string allow = {};
};

/// A number in decimal digits. Throws `refused`, with the name of what it is.
template <class Number>
Number number(std::string_view text, std::string_view what, Number least, Number most) {
    Number value{};
    auto const [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (problem != std::errc{} || end != text.data() + text.size() || value < least || value > most) {
        throw refused{
            boost::beast::http::status::bad_request,
            std::string(what) + " must be a number between " + std::to_string(least) + " and " + std::to_string(most)};
    }
    return value;
}
