#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace minibatch::bson {

/// The lines of a segment's text, each of which is a message. Asked for rarely, and then in ascending order.
class line_finder {
  public:
    explicit line_finder(std::string_view text) noexcept : text_(text) {}

    /// Line `index`; empty when there are not as many.
    std::string_view line(std::size_t index) noexcept {
        for (; line_ < index; ++line_) {
            auto const end = text_.find('\n', start_);
            if (end == std::string_view::npos) return {};
            start_ = end + 1;
        }
        auto const end = std::min(text_.find('\n', start_), text_.size());
        // Behind the message stands a comma or the closing bracket.
        return text_.substr(start_, end - std::min(end, start_ + 1));
    }

  private:
    std::string_view text_;
    std::size_t line_ = 0;
    std::size_t start_ = 1;
};

}  // namespace minibatch::bson
