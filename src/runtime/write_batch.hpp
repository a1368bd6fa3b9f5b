#pragma once

#include <deque>
#include <vector>

#include "runtime/append_queue.hpp"
#include "runtime/batch_names.hpp"
#include "runtime/queued_write.hpp"
#include "runtime/tail.hpp"

namespace minibatch::runtime {

/// What goes to the store in one call: the appends, joined into segments, then the other writes, both in the order in
/// which they were queued. Used by one thread at a time.
class write_batch {
  public:
    /// Precondition: not both are empty.
    write_batch(std::deque<queued_append> appends, std::deque<queued_write> writes);

    /// Bytes of the appends, as they count towards the limit of pending bytes.
    std::size_t bytes() const noexcept { return bytes_; }
    /// Whether it contains an append or a commit.
    bool holds_data() const noexcept { return holds_data_; }

    /// Whether `join` was called.
    bool joined() const noexcept { return !jobs_.empty(); }
    /// Joins the appends of each log into segments. Once, before the following.
    void join(std::size_t full_segment_bytes, batch_names& names);
    /// Lets the store do what it can do before `write`.
    void prepare(store::store& database);
    void write(store::store& database, steady_time deadline);
    /// Hands stored segments to the consumers of this process and calls all completions.
    void complete(store::store& database, tail& newest);

  private:
    struct part {
        append_done done;
        std::int64_t count;
    };
    struct segment {
        log::segment_text text;
        std::vector<part> parts;
    };

    void complete_stored(store::append_request const& request, store::append_result const& stored, segment& of,
                         store::store& database, tail& newest);
    void complete_failed(store::append_request const& request, error const& problem, segment& of, tail& newest);

    std::deque<queued_append> appends_;
    std::deque<queued_write> writes_;
    std::size_t bytes_ = 0;
    bool holds_data_ = false;
    std::vector<store::write_job> jobs_;  // the segments, then `writes_`
    std::vector<segment> segments_;
};

}  // namespace minibatch::runtime
