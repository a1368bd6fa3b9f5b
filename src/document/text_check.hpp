#pragma once

#include <algorithm>
#include <array>
#include <boost/json/string_view.hpp>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <minibatch/document.hpp>
#include <string>
#include <string_view>

#include "document/place.hpp"

namespace minibatch::document {

/// The handler of boost::json::basic_parser that holds the rules for documents. It builds nothing; it keeps track of
/// the place, cheaply, for the sake of error texts. The whole text must be parsed as one buffer, so that numbers
/// arrive in one piece.
class text_check {
  public:
    using error_code = boost::system::error_code;
    using string_view = boost::json::string_view;
    static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_object_size = max_array_size;
    static constexpr std::size_t max_string_size = max_array_size;
    static constexpr std::size_t max_key_size = max_array_size;

    void reset() {
        depth_ = 0;
        what_.clear();
    }

    /// What is wrong at `pointer()`; empty when the handler itself has found nothing.
    std::string const& what() const noexcept { return what_; }

    /// The JSON pointer of the value that is being parsed, or of the object between two of its members.
    std::string pointer() const {
        std::string result;
        for (std::size_t i = 0; i < depth_; ++i) {
            auto const& at = levels_[i];
            if (at.in_array) {
                append_step(result, at.index);
            } else if (at.has_key) {
                append_step(result, at.key());
            }
        }
        return result;
    }

    bool on_document_begin(error_code&) noexcept { return true; }
    bool on_document_end(error_code&) noexcept { return true; }
    bool on_object_begin(error_code&) noexcept {
        enter(false);
        return true;
    }
    bool on_object_end(std::size_t, error_code&) noexcept {
        --depth_;
        return next();
    }
    bool on_array_begin(error_code& ec) {
        if (depth_ == 0) return not_an_object("an array", ec);
        enter(true);
        return true;
    }
    bool on_array_end(std::size_t, error_code&) noexcept {
        --depth_;
        return next();
    }
    bool on_key_part(string_view part, std::size_t total, error_code& ec) {
        levels_[depth_ - 1].add_key(part, total);
        if (!part.empty() && std::memchr(part.data(), 0, part.size()) != nullptr) {
            return fail("a key must not contain a NUL character", ec);
        }
        return true;
    }
    bool on_key(string_view part, std::size_t total, error_code& ec) { return on_key_part(part, total, ec); }
    bool on_string_part(string_view, std::size_t, error_code& ec) { return scalar("a string", ec); }
    bool on_string(string_view, std::size_t, error_code& ec) { return scalar("a string", ec) && next(); }
    bool on_number_part(string_view, error_code&) noexcept { return true; }
    bool on_int64(std::int64_t, string_view, error_code& ec) { return scalar("a number", ec) && next(); }
    bool on_uint64(std::uint64_t value, string_view token, error_code& ec) {
        if (!scalar("a number", ec)) return false;
        if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return big_integer(token, ec);
        return next();
    }
    bool on_double(double value, string_view token, error_code& ec) {
        if (!scalar("a number", ec)) return false;
        // Boost.JSON turns integers beyond 64 bits into doubles.
        if (token.find_first_of(".eE") == string_view::npos) return big_integer(token, ec);
        if (!std::isfinite(value)) {
            // Its conversion overflows a little too early, near the largest double and for zeros; ours is exact.
            double exact = 0;
            auto const done = std::from_chars(token.data(), token.data() + token.size(), exact);
            if (done.ec != std::errc{}) {
                return fail(shortened({token.data(), token.size()}) + " does not fit a double-precision number", ec);
            }
        }
        return next();
    }
    bool on_bool(bool, error_code& ec) { return scalar("a boolean", ec) && next(); }
    bool on_null(error_code& ec) { return scalar("null", ec) && next(); }
    bool on_comment_part(string_view, error_code&) noexcept { return true; }
    bool on_comment(string_view, error_code&) noexcept { return true; }

  private:
    struct level {
        std::size_t index;
        bool in_array;
        bool has_key;
        std::uint8_t key_size;
        // One byte more than is shown, so that a cut key is known to be longer.
        std::array<char, shown_key_bytes + 1> key_start;

        std::string_view key() const noexcept { return {key_start.data(), key_size}; }
        void add_key(string_view part, std::size_t total) noexcept {
            if (total == part.size()) key_size = 0;
            has_key = true;
            auto const n = std::min(part.size(), key_start.size() - key_size);
            std::copy_n(part.data(), n, key_start.data() + key_size);
            key_size = static_cast<std::uint8_t>(key_size + n);
        }
    };

    void enter(bool in_array) noexcept {
        auto& top = levels_[depth_++];
        top.index = 0;
        top.in_array = in_array;
        top.has_key = false;
    }
    /// A value is complete. Always true, for brevity at the call.
    bool next() noexcept {
        if (depth_ != 0) {
            ++levels_[depth_ - 1].index;
            levels_[depth_ - 1].has_key = false;
        }
        return true;
    }
    bool scalar(char const* kind, error_code& ec) { return depth_ != 0 || not_an_object(kind, ec); }
    bool not_an_object(char const* kind, error_code& ec) {
        return fail(std::string("a document is a JSON object, this is ") + kind, ec);
    }
    bool big_integer(string_view token, error_code& ec) {
        return fail(shortened({token.data(), token.size()}) + " does not fit a 64-bit signed integer", ec);
    }
    bool fail(std::string what, error_code& ec) {
        what_ = std::move(what);
        ec = errc::invalid_document;
        return false;
    }

    std::size_t depth_ = 0;
    std::string what_;
    std::array<level, max_document_depth> levels_;  // the parser's own limit keeps the depth within
};

}  // namespace minibatch::document
