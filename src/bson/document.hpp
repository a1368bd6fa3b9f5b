#pragma once

#include <bson/bson.h>

#include <cstdint>
#include <minibatch/error.hpp>
#include <span>

namespace minibatch::bson {

/// Owns a BSON document. A moved-from one is empty. Not thread-safe, as a bson_t.
class document {
  public:
    document() noexcept { bson_init(&value_); }
    /// Copies a whole document. Throws `error` with `errc::corrupt` when length or end are not those of a document;
    /// what lies between is not looked at.
    explicit document(std::span<std::uint8_t const> bytes) {
        bson_t view;
        if (!bson_init_static(&view, bytes.data(), bytes.size())) throw error(errc::corrupt, "the BSON is damaged");
        bson_copy_to(&view, &value_);
    }
    /// Takes over what a function of libbson has allocated; not null.
    explicit document(bson_t* allocated) noexcept { bson_steal(&value_, allocated); }
    /// Copies a document that somebody else owns.
    explicit document(bson_t const& from) { bson_copy_to(&from, &value_); }
    document(document&& other) noexcept { take(other); }
    document& operator=(document&& other) noexcept {
        if (this != &other) {
            bson_destroy(&value_);
            take(other);
        }
        return *this;
    }
    document(document const&) = delete;
    document& operator=(document const&) = delete;
    ~document() { bson_destroy(&value_); }

    bson_t* get() noexcept { return &value_; }
    bson_t const* get() const noexcept { return &value_; }
    bson_t& operator*() noexcept { return value_; }
    bson_t const& operator*() const noexcept { return value_; }

    /// The encoded document; the view lives as long as this object is not changed.
    std::span<std::uint8_t const> bytes() const noexcept { return {bson_get_data(&value_), value_.len}; }

  private:
    /// Precondition: `value_` owns nothing.
    void take(document& other) noexcept {
        bson_steal(&value_, &other.value_);  // never fails for a document that owns its bytes
        bson_init(&other.value_);
    }

    bson_t value_;
};

}  // namespace minibatch::bson
