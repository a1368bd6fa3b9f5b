#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tool/line_reader.hpp"

namespace minibatch::tool {

/// Lines of the input that share a fate: the first and the last of them, and how many.
class line_range {
  public:
    bool empty() const noexcept { return count_ == 0; }

    /// Adds lines behind those that are there.
    void add(line_place const& first, line_place const& last, std::int64_t count) {
        if (empty()) first_ = first;
        last_ = last;
        count_ += count;
    }
    /// Adds those from the index on that are not blank.
    void add(std::vector<input_line> const& lines, std::size_t from) {
        for (std::size_t i = from; i < lines.size(); ++i)
            if (!lines[i].blank()) add(lines[i], lines[i], 1);
    }

    /// `FILE:LINE was not stored: why`, or `FILE:LINE to FILE:LINE were not stored: why (N lines)`, with these words
    /// in place of "was not stored" and "were not stored".
    std::string sentence(std::string_view one, std::string_view several, std::string_view why) const {
        auto out = to_string(first_);
        if (count_ > 1) out += " to " + to_string(last_);
        out.append(" ").append(count_ > 1 ? several : one).append(": ").append(why);
        if (count_ > 1) out += " (" + std::to_string(count_) + " lines)";
        return out;
    }

  private:
    std::int64_t count_ = 0;
    line_place first_;
    line_place last_;
};

}  // namespace minibatch::tool
