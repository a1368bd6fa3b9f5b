#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

namespace minibatch {

/// The name of a consumer group or a time zone in an options aggregate: up to 120 characters, stored in place.
///
/// It is trivially destructible because g++ 12 destroys temporary aggregates inside a `co_await` expression twice, as
/// in `co_await stream.consume(how, {.group = "reports"})`.
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

    /// A name that was too long has one character more than is allowed. The operation that uses it reports
    /// `invalid_name`.
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
