#include "log/segment.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <minibatch/error.hpp>
#include <utility>

namespace minibatch::log {

void segment_text::add(std::string_view document) {
    text_ += text_.empty() ? "[" : ",\n";
    text_ += document;
    ++count_;
}

void segment_text::add(segment_text&& other) {
    if (other.empty()) return;
    if (empty()) {
        std::swap(text_, other.text_);
        std::swap(count_, other.count_);
    } else {
        text_ += ",\n";
        text_.append(other.text_, 1);
        count_ += other.count_;
    }
    other.text_.clear();
    other.count_ = 0;
}

std::vector<std::string_view> split(std::string_view lines) {
    std::vector<std::string_view> found;
    while (!lines.empty()) {
        auto const end = std::min(lines.find(",\n"), lines.size());
        found.push_back(lines.substr(0, end));
        lines.remove_prefix(std::min(end + 2, lines.size()));
    }
    return found;
}

std::string segment_text::finish() {
    text_ += text_.empty() ? "[]" : "]";
    count_ = 0;
    return std::exchange(text_, {});
}

segment::segment(std::int64_t number, std::int64_t first, std::int64_t count, time_ms created,
                 std::shared_ptr<std::string const> text)
    : number_(number), first_(first), count_(count), created_(created), text_(std::move(text)) {
    auto const damaged = [&](char const* what) {
        throw error(errc::corrupt, "record " + std::to_string(number) + " of the log is damaged: " + what);
    };
    if (number < 0 || first < 0 || count < 0) damaged("a negative number, offset or count");
    if (count == 0) return;
    if (!text_ || text_->size() < 4 || text_->front() != '[' || text_->back() != ']') damaged("not an array");
    if (text_->size() > std::numeric_limits<std::uint32_t>::max()) damaged("too large");
    if (static_cast<std::uint64_t>(count) > text_->size() / 2) damaged("more messages than the text can hold");

    starts_.reserve(static_cast<std::size_t>(count) + 1);
    starts_.push_back(1);
    char const* const begin = text_->data();
    char const* const end = begin + text_->size();
    for (char const* at = begin;
         (at = static_cast<char const*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)))) != nullptr;) {
        ++at;
        starts_.push_back(static_cast<std::uint32_t>(at - begin));
        if (at == end || starts_.size() > static_cast<std::size_t>(count)) damaged("more messages than it counts");
    }
    // The closing bracket stands where a ",\n" would: the end sentinel makes every document end two bytes before it.
    starts_.push_back(static_cast<std::uint32_t>(text_->size() + 1));
    if (starts_.size() != static_cast<std::size_t>(count) + 1) damaged("fewer messages than it counts");
    for (std::size_t i = 0; i + 1 < starts_.size(); ++i) {
        if (starts_[i + 1] < starts_[i] + 4) damaged("a message that is too short");
        auto const message = document(static_cast<std::int64_t>(i));
        if (message.front() != '{' || message.back() != '}') damaged("a message that is not an object");
        if (i + 2 < starts_.size() && (*text_)[starts_[i + 1] - 2] != ',') damaged("messages without a comma between");
    }
}

std::string_view segment::document(std::int64_t index) const noexcept { return documents(index, index + 1); }

std::string_view segment::documents(std::int64_t begin, std::int64_t end) const noexcept {
    if (begin >= end) return {};
    auto const from = starts_[static_cast<std::size_t>(begin)];
    auto const to = starts_[static_cast<std::size_t>(end)] - 2;
    return std::string_view(*text_).substr(from, to - from);
}

}  // namespace minibatch::log
