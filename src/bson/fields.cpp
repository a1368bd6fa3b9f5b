#include "bson/fields.hpp"

#include <cmath>
#include <minibatch/error.hpp>

namespace minibatch::bson {

fields::fields(bson_t const& from, std::string what) : what_(std::move(what)) {
    if (!bson_init_static(&from_, bson_get_data(&from), from.len)) throw error(errc::corrupt, what_ + ": not BSON");
}

fields& fields::operator=(fields const& other) {
    what_ = other.what_;
    bson_init_static(&from_, bson_get_data(&other.from_), other.from_.len);
    return *this;
}

void fields::damaged(std::string_view key, std::string_view problem) const {
    damaged("field '" + std::string(key) + "' " + std::string(problem));
}

void fields::damaged(std::string_view problem) const {
    bson_iter_t id;
    std::string which;
    if (bson_iter_init_find(&id, &from_, "_id") && BSON_ITER_HOLDS_UTF8(&id))
        which = std::string(" '") + bson_iter_utf8(&id, nullptr) + "'";
    throw error(errc::corrupt, what_ + which + ": " + std::string(problem));
}

std::optional<fields::position> fields::find(char const* key) const {
    position found;
    if (!bson_iter_init_find(&found.at, &from_, key)) return std::nullopt;
    return found;
}

bool fields::has(char const* key) const { return find(key).has_value(); }

std::optional<std::int64_t> fields::integer_if(char const* key) const {
    auto const at = find(key);
    if (!at) return std::nullopt;
    if (BSON_ITER_HOLDS_INT32(&at->at)) return bson_iter_int32(&at->at);
    if (BSON_ITER_HOLDS_INT64(&at->at)) return bson_iter_int64(&at->at);
    if (BSON_ITER_HOLDS_DOUBLE(&at->at)) {
        auto const value = bson_iter_double(&at->at);
        if (std::abs(value) < 9e15 && value == std::floor(value)) return static_cast<std::int64_t>(value);
    }
    damaged(key, "is not an integer");
}

std::int64_t fields::integer(char const* key) const {
    auto const found = integer_if(key);
    if (!found) damaged(key, "is missing");
    return *found;
}

std::int64_t fields::integer(char const* key, std::int64_t least, std::int64_t most) const {
    auto const value = integer(key);
    if (value < least || value > most) damaged(key, "is out of range: " + std::to_string(value));
    return value;
}

std::optional<std::string> fields::text_if(char const* key) const {
    auto const at = find(key);
    if (!at) return std::nullopt;
    if (!BSON_ITER_HOLDS_UTF8(&at->at)) damaged(key, "is not a string");
    std::uint32_t length = 0;
    auto const* text = bson_iter_utf8(&at->at, &length);
    return std::string(text, length);
}

std::string fields::text(char const* key) const {
    auto found = text_if(key);
    if (!found) damaged(key, "is missing");
    return std::move(*found);
}

bool fields::boolean(char const* key) const {
    auto const at = find(key);
    if (!at) damaged(key, "is missing");
    if (!BSON_ITER_HOLDS_BOOL(&at->at)) damaged(key, "is not a boolean");
    return bson_iter_bool(&at->at);
}

std::int64_t fields::date(char const* key) const {
    auto const at = find(key);
    if (!at) damaged(key, "is missing");
    if (!BSON_ITER_HOLDS_DATE_TIME(&at->at)) damaged(key, "is not a date");
    return bson_iter_date_time(&at->at);
}

fields fields::inner(bson_iter_t const& at, char const* key) const {
    std::uint32_t length = 0;
    std::uint8_t const* data = nullptr;
    if (BSON_ITER_HOLDS_DOCUMENT(&at))
        bson_iter_document(&at, &length, &data);
    else if (BSON_ITER_HOLDS_ARRAY(&at))
        bson_iter_array(&at, &length, &data);
    bson_t view;
    if (!data || !bson_init_static(&view, data, length)) damaged(key, "is not a document");
    return {view, what_};
}

std::optional<fields> fields::object_if(char const* key) const {
    auto const at = find(key);
    if (!at) return std::nullopt;
    if (!BSON_ITER_HOLDS_DOCUMENT(&at->at)) damaged(key, "is not a document");
    return inner(at->at, key);
}

fields fields::object(char const* key) const {
    auto found = object_if(key);
    if (!found) damaged(key, "is missing");
    return *found;
}

std::optional<fields> fields::array_if(char const* key) const {
    auto const at = find(key);
    if (!at) return std::nullopt;
    if (!BSON_ITER_HOLDS_ARRAY(&at->at)) damaged(key, "is not an array");
    return inner(at->at, key);
}

fields fields::array(char const* key) const {
    auto found = array_if(key);
    if (!found) damaged(key, "is missing");
    return *found;
}

}  // namespace minibatch::bson
