#pragma once

#include <cstdint>
#include <string_view>

namespace minibatch::store {

/// Throws errc::invalid_name unless `name` is `[A-Za-z0-9_][A-Za-z0-9._-]{0,119}`. `kind` is what it names ("stream").
void check_name(std::string_view kind, std::string_view name);

/// A random positive number for a new stream.
std::int64_t new_incarnation();

}  // namespace minibatch::store
