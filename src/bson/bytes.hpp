#pragma once

#include <algorithm>
#include <boost/endian/conversion.hpp>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <span>
#include <string_view>

namespace minibatch::bson {

/// Thrown by `bytes` when more than its limit would be needed.
struct limit_reached {};

/// Bytes that grow at their end, up to a limit. Unlike a vector it does not clear what is about to be written.
class bytes {
  public:
    /// The largest BSON document that libbson can hold.
    static constexpr std::size_t largest = std::numeric_limits<std::int32_t>::max();

    explicit bytes(std::size_t limit = largest) : limit_(std::min(limit, largest)) {}

    std::size_t size() const noexcept { return size_; }
    std::uint8_t* data() noexcept { return data_.get(); }
    std::uint8_t const* data() const noexcept { return data_.get(); }
    std::span<std::uint8_t const> from(std::size_t start) const noexcept { return {data() + start, size_ - start}; }

    /// Makes room for `n` more bytes. Throws `limit_reached`.
    void reserve_more(std::size_t n) {
        if (n > capacity_ - size_) grow(n);
    }
    void put(std::uint8_t byte) {
        reserve_more(1);
        data_[size_++] = byte;
    }
    void put(void const* from, std::size_t n) {
        reserve_more(n);
        if (n != 0) std::memcpy(data() + size_, from, n);
        size_ += n;
    }
    void put(std::string_view text) { put(text.data(), text.size()); }
    void put(std::span<std::uint8_t const> other) { put(other.data(), other.size()); }
    template <class Integer>
    void put_number(Integer value) {
        value = boost::endian::native_to_little(value);
        put(&value, sizeof value);
    }
    void put_double(double value) {
        std::uint64_t bits = 0;
        std::memcpy(&bits, &value, sizeof bits);
        put_number(bits);
    }
    /// Overwrites the four bytes at `at`.
    void set_length(std::size_t at, std::size_t length) noexcept {
        auto const value = boost::endian::native_to_little(static_cast<std::int32_t>(length));
        std::memcpy(data() + at, &value, sizeof value);
    }
    /// Forgets what lies behind the first `size` bytes.
    void cut(std::size_t size) noexcept { size_ = size; }

  private:
    void grow(std::size_t n) {
        if (n > limit_ - size_) throw limit_reached{};
        auto const wanted = std::min(limit_, std::max({size_ + n, capacity_ * 2, std::size_t{512}}));
        auto larger = std::make_unique_for_overwrite<std::uint8_t[]>(wanted);
        if (size_ != 0) std::memcpy(larger.get(), data(), size_);
        data_ = std::move(larger);
        capacity_ = wanted;
    }

    std::unique_ptr<std::uint8_t[]> data_;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
    std::size_t limit_;
};

}  // namespace minibatch::bson
