#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace minibatch::log {

/// Milliseconds since the Unix epoch, by the database's clock.
using time_ms = std::int64_t;

/// The text of one segment while it is being put together: a JSON array with one document a line,
/// `[{…},\n{…}]`. Documents never contain a raw line break, so that the lines are the documents.
class segment_text {
  public:
    /// Adds one encoded document. Precondition: valid JSON without a raw line break.
    void add(std::string_view document);
    /// Adds all documents of another text, which is left empty.
    void add(segment_text&& other);

    /// The documents added so far, separated by ",\n". The view lives as long as this object is not changed.
    std::string_view lines() const noexcept { return std::string_view(text_).substr(text_.empty() ? 0 : 1); }

    bool empty() const noexcept { return count_ == 0; }
    std::int64_t count() const noexcept { return count_; }
    /// Bytes that the finished text will have.
    std::size_t size() const noexcept { return text_.size() + 1; }
    void reserve(std::size_t bytes) { text_.reserve(bytes); }
    /// The finished text; this object is empty afterwards.
    std::string finish();

  private:
    std::string text_;
    std::int64_t count_ = 0;
};

/// The documents in lines of a segment's text, which are separated by ",\n".
std::vector<std::string_view> split(std::string_view lines);

/// One record of a partition's log, immutable: a group of messages that became durable together, or a control record
/// (no messages), which takes a number but no offset. Shared between threads.
class segment {
  public:
    /// Reads the boundaries of the messages. Throws `error` with `errc::corrupt` when the text is not `count` lines in
    /// the form of `segment_text`; the documents themselves are not parsed here.
    segment(std::int64_t number, std::int64_t first, std::int64_t count, time_ms created,
            std::shared_ptr<std::string const> text);

    std::int64_t number() const noexcept { return number_; }
    /// Offset of the first message; for a control record the offset that the next message gets.
    std::int64_t first() const noexcept { return first_; }
    std::int64_t count() const noexcept { return count_; }
    /// One past the last offset.
    std::int64_t end() const noexcept { return first_ + count_; }
    time_ms created() const noexcept { return created_; }
    std::size_t bytes() const noexcept { return text_ ? text_->size() : 0; }

    /// The encoded document at `index` (0 … count-1).
    std::string_view document(std::int64_t index) const noexcept;
    /// The encoded documents [begin, end) as they stand in the array, separated by ",\n".
    std::string_view documents(std::int64_t begin, std::int64_t end) const noexcept;

  private:
    std::int64_t number_;
    std::int64_t first_;
    std::int64_t count_;
    time_ms created_;
    std::shared_ptr<std::string const> text_;
    std::vector<std::uint32_t> starts_;  // where each document begins; one more for the end of the last
};

using segment_ptr = std::shared_ptr<segment const>;

}  // namespace minibatch::log
