#pragma once

#include <cstddef>
#include <minibatch/error.hpp>
#include <string>
#include <string_view>

namespace minibatch::document {

/// How much of a key error texts show.
inline constexpr std::size_t shown_key_bytes = 64;

/// Appends one step of a JSON pointer. What a terminal would not show is escaped, and long keys are cut.
void append_step(std::string& pointer, std::string_view key);
void append_step(std::string& pointer, std::size_t index);

/// Where a walk through a value is: a chain through the frames of the stack, read only when something is wrong.
struct step {
    step const* parent;
    std::string_view key;
    std::size_t index;
    bool in_array;
};

/// The JSON pointer of a step; empty for the document itself (null).
std::string pointer_of(step const* at);

/// The start of a text, for use in a message.
std::string shortened(std::string_view text, std::size_t bytes = 40);

/// `at /reading/3/value: what`; the sentence alone for the document itself.
error invalid_at(std::string const& pointer, std::string_view what);

error too_large();

}  // namespace minibatch::document
