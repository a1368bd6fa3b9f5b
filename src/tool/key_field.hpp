#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace minibatch::tool {

/// The key that a field of a document gives, in `append --key FIELD`.
struct field_key {
    /// Empty: the field is absent, null, or an empty string.
    std::string key;
    /// Why the field's value cannot be a key: it is an object or an array. Empty where it can.
    std::string problem;
};

/// A field to take keys from: a name, or a JSON Pointer (RFC 6901) when it begins with `/`.
class key_field {
  public:
    /// Throws std::invalid_argument with a sentence about the text.
    explicit key_field(std::string_view text);

    /// Reads the key out of the text of a valid document. A string is the key itself; a number or a boolean is its text
    /// as it stands there. Of a name that occurs twice the last one counts.
    field_key read(std::string_view document) const;

    std::string const& text() const noexcept { return text_; }
    /// As a JSON Pointer, whatever it was given as; for messages.
    std::string pointer() const { return text_.front() == '/' ? text_ : "/" + text_; }
    /// Whether it is a name that might have been meant for a path.
    bool looks_like_path() const noexcept;

  private:
    std::string text_;
    std::vector<std::string> steps_;
};

}  // namespace minibatch::tool
