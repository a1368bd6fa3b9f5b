#pragma once

#include <bson/bson.h>

#include <boost/endian/conversion.hpp>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace minibatch::bson {

/// One field of a document, or one element of an array. The views point into the document.
struct element {
    bson_type_t type = BSON_TYPE_EOD;
    std::string_view key;
    /// The bytes of the value; the reader has checked that their number, and the lengths inside, suit the type.
    std::span<std::uint8_t const> value;

    template <class Integer>
    Integer number(std::size_t at = 0) const noexcept {
        Integer result{};
        std::memcpy(&result, value.data() + at, sizeof result);
        return boost::endian::little_to_native(result);
    }
    double as_double() const noexcept {
        auto const bits = number<std::uint64_t>();
        double result = 0;
        std::memcpy(&result, &bits, sizeof result);
        return result;
    }
    /// The text of the types string, code and symbol, whose last byte is a NUL.
    std::string_view text() const noexcept { return text_at(value); }
    /// The same for a string inside of another value, which starts at the front of `bytes`.
    static std::string_view text_at(std::span<std::uint8_t const> bytes) noexcept;
};

/// Reads the fields of a document or array that may hold anything: every length is checked before it is used. Stricter
/// than bson_iter_t, which takes some damage for the end of the document.
class reader {
  public:
    explicit reader(std::span<std::uint8_t const> document) noexcept;

    /// The next field; false at the end, and when the rest cannot be understood.
    bool next(element& to) noexcept;
    bool damaged() const noexcept { return damaged_; }

  private:
    bool damage() noexcept;

    std::span<std::uint8_t const> rest_;
    bool damaged_ = false;
};

}  // namespace minibatch::bson
