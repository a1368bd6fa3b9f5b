#pragma once

#include <boost/json/value.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

namespace minibatch {

/// Milliseconds since the Unix epoch, by the database's clock.
using time_point = std::chrono::sys_time<std::chrono::milliseconds>;

/// One message of a stream. Cheap to copy: copies share the memory of the segment that contains the message.
class message {
  public:
    message() = default;
    /// `text` must stay valid as long as `owner` exists.
    message(std::int64_t offset, time_point created, int partition, std::string_view text,
            std::shared_ptr<void const> owner) noexcept
        : offset_(offset), created_(created), text_(text), owner_(std::move(owner)), partition_(partition) {}

    /// The place in the partition: 0, 1, 2 … without gaps.
    std::int64_t offset() const noexcept { return offset_; }
    /// The time at which the message was written, by the database's clock, shortly before it became durable. SQLite
    /// stamps it in the transaction that stores the message. MongoDB stamps it just before the message is first sent to
    /// its place in the log; the time of retries comes after it. Never decreases along the offsets.
    time_point created() const noexcept { return created_; }
    int partition() const noexcept { return partition_; }
    /// The document as JSON text. Valid as long as a copy of this message exists.
    std::string_view text() const noexcept { return text_; }
    /// Decodes the document. Each call parses the text; keep the result to use it more than once. Throws `error` with
    /// `errc::corrupt` if the stored text is not a JSON document.
    boost::json::value data() const;

  private:
    std::int64_t offset_ = 0;
    time_point created_{};
    std::string_view text_ = "{}";
    std::shared_ptr<void const> owner_;
    int partition_ = 0;
};

}  // namespace minibatch
