#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

namespace minibatch {

/// A name inside an options aggregate, of a consumer group or a time zone: up to 120 characters, held in place.
///
/// Not a std::string, because g++ 12 destroys temporary aggregates twice that are written inside a `co_await`
/// expression, as in `co_await stream.consume(how, {.group = "reports"})`; this type has nothing to destroy.
class name {
  public:
    static constexpr std::size_t max_size = 120;

    constexpr name() = default;
    constexpr name(std::string_view text) noexcept  // NOLINT(google-explicit-constructor): names are written as text
        : size_(static_cast<std::uint8_t>(std::min(text.size(), max_size + 1))) {
        std::copy_n(text.begin(), size_, text_);
    }
    constexpr name(char const* text) noexcept : name(std::string_view(text)) {}         // NOLINT
    constexpr name(std::string const& text) noexcept : name(std::string_view(text)) {}  // NOLINT

    /// A name that was too long shows as one character more than is allowed, and is refused as such where it is used.
    constexpr operator std::string_view() const noexcept { return {text_, size_}; }  // NOLINT
    std::string str() const { return std::string(text_, size_); }

    friend bool operator==(name const& a, name const& b) noexcept {
        return static_cast<std::string_view>(a) == static_cast<std::string_view>(b);
    }
    friend std::ostream& operator<<(std::ostream& out, name const& n) {
        return out << static_cast<std::string_view>(n);
    }

  private:
    char text_[max_size + 1] = {};
    std::uint8_t size_ = 0;
};

}  // namespace minibatch
