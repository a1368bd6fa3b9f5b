#pragma once

#include <boost/json/array.hpp>
#include <cstddef>
#include <minibatch/document.hpp>
#include <span>
#include <string_view>

namespace minibatch::document {

/// Decodes `count` documents that lie in pieces, each of one or more encoded documents separated by commas. Parsed as
/// one array, which is much faster than one by one. Throws `error` with `errc::corrupt`.
boost::json::array decode_all(std::span<std::string_view const> pieces, std::size_t count,
                              boost::json::storage_ptr storage);

}  // namespace minibatch::document
