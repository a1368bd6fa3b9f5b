#pragma once

#include <bson/bson.h>

#include <concepts>
#include <cstdint>
#include <minibatch/error.hpp>
#include <string>
#include <string_view>

#include "bson/document.hpp"

namespace minibatch::bson {

/// Adds fields to a document, in order. Throws errc::document_too_large beyond what BSON can hold.
class builder {
  public:
    explicit builder(document& into) : into_(into.get()) {}
    explicit builder(bson_t& into) : into_(&into) {}
    builder(builder const&) = delete;
    builder& operator=(builder const&) = delete;

    builder& add(std::string_view key, std::string_view text) {
        // Without an address it would be null.
        auto const* const data = text.empty() ? "" : text.data();
        return check(bson_append_utf8(into_, key.data(), length(key), data, length(text)));
    }
    builder& add(std::string_view key, char const* text) { return add(key, std::string_view(text)); }
    builder& add(std::string_view key, std::int32_t number) {
        return check(bson_append_int32(into_, key.data(), length(key), number));
    }
    builder& add(std::string_view key, std::int64_t number) {
        return check(bson_append_int64(into_, key.data(), length(key), number));
    }
    builder& add(std::string_view key, std::same_as<bool> auto value) {
        return check(bson_append_bool(into_, key.data(), length(key), value));
    }
    builder& add(std::string_view key, bson_t const& object) {
        return check(bson_append_document(into_, key.data(), length(key), &object));
    }
    builder& add(std::string_view key, document const& object) { return add(key, *object.get()); }
    builder& array(std::string_view key, bson_t const& elements) {
        return check(bson_append_array(into_, key.data(), length(key), &elements));
    }
    /// Milliseconds since the Unix epoch.
    builder& date(std::string_view key, std::int64_t milliseconds) {
        return check(bson_append_date_time(into_, key.data(), length(key), milliseconds));
    }
    builder& timestamp(std::string_view key, std::uint32_t seconds, std::uint32_t increment) {
        return check(bson_append_timestamp(into_, key.data(), length(key), seconds, increment));
    }
    builder& null(std::string_view key) { return check(bson_append_null(into_, key.data(), length(key))); }

    /// A nested document, which `fill(builder&)` fills.
    template <class Fill>
    builder& object(std::string_view key, Fill const& fill) {
        bson_t child;
        check(bson_append_document_begin(into_, key.data(), length(key), &child));
        builder inner(child);
        fill(inner);
        return check(bson_append_document_end(into_, &child));
    }
    /// A nested array, which `fill(builder&)` fills with elements by `item`.
    template <class Fill>
    builder& list(std::string_view key, Fill const& fill) {
        bson_t child;
        check(bson_append_array_begin(into_, key.data(), length(key), &child));
        builder inner(child);
        fill(inner);
        return check(bson_append_array_end(into_, &child));
    }
    template <class Value>
    builder& item(Value const& value) {
        return add(next_key(), value);
    }
    template <class Fill>
    builder& object_item(Fill const& fill) {
        return object(next_key(), fill);
    }
    template <class Fill>
    builder& list_item(Fill const& fill) {
        return list(next_key(), fill);
    }

    /// For what is not offered here.
    bson_t& raw() noexcept { return *into_; }

  private:
    static int length(std::string_view text) { return static_cast<int>(text.size()); }
    std::string next_key() { return std::to_string(items_++); }
    builder& check(bool added) {
        if (!added) throw error(errc::document_too_large, "a BSON document of more than 2 GiB");
        return *this;
    }

    bson_t* into_;
    std::uint32_t items_ = 0;
};

/// A document made in one expression: `make([&](builder& b) { b.add(…); })`.
template <class Fill>
document make(Fill const& fill) {
    document out;
    builder inner(out);
    fill(inner);
    return out;
}

}  // namespace minibatch::bson
