#pragma once

#include <boost/json/value.hpp>
#include <boost/json/value_from.hpp>
#include <minibatch/document.hpp>
#include <ranges>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace minibatch::detail {

template <class T>
inline constexpr bool is_json = std::is_same_v<T, boost::json::value> || std::is_same_v<T, boost::json::object>;

/// A type that converts to one document.
template <class T>
concept typed_document = !is_json<T> && boost::json::has_value_from<T>::value && !std::is_arithmetic_v<T>;

template <class T>
concept map_like = requires {
    typename T::key_type;
    typename T::mapped_type;
};

/// A range of documents: of JSON values, JSON objects, or types that convert to a document.
template <class T>
concept document_range = std::ranges::input_range<T> && !is_json<std::remove_cvref_t<T>> &&
                         !map_like<std::remove_cvref_t<T>> && !std::is_convertible_v<T, std::string_view> &&
                         (is_json<std::remove_cvref_t<std::ranges::range_value_t<T>>> ||
                          typed_document<std::remove_cvref_t<std::ranges::range_value_t<T>>>);

template <class T>
concept single_document = typed_document<T> && !document_range<T>;

/// A range of JSON texts, each a document.
template <class T>
concept text_range = std::ranges::input_range<T> && !std::is_convertible_v<T, std::string_view> &&
                     std::is_convertible_v<std::ranges::range_reference_t<T>, std::string_view>;

inline encoded_document encode_any(boost::json::value const& document) { return encode_document(document); }
inline encoded_document encode_any(boost::json::object const& document) { return encode_document(document); }
template <typed_document T>
encoded_document encode_any(T const& value) {
    return encode_document(boost::json::value_from(value));
}

template <class Range>
std::vector<encoded_document> encode_all(Range&& documents) {
    std::vector<encoded_document> encoded;
    if constexpr (std::ranges::sized_range<Range>) encoded.reserve(std::ranges::size(documents));
    for (auto const& document : documents) encoded.push_back(encode_any(document));
    return encoded;
}

template <class Range>
std::vector<encoded_document> encode_texts(Range&& texts) {
    std::vector<encoded_document> encoded;
    if constexpr (std::ranges::sized_range<Range>) encoded.reserve(std::ranges::size(texts));
    for (auto&& text : texts) encoded.push_back(encode_document_text(text));
    return encoded;
}

}  // namespace minibatch::detail
