#pragma once

#include <cstdint>
#include <minibatch/detail/any_handler.hpp>
#include <minibatch/error.hpp>
#include <optional>
#include <string_view>

#include "log/segment.hpp"
#include "runtime/scheduler.hpp"

namespace minibatch::runtime {

/// Called once, with the offset of the first document, or with an error. After an error, `unwritten` are the documents
/// as they stand in a segment (see log::split); the view is valid during the call only.
using append_done =
    detail::any_handler<void(std::optional<error>, std::int64_t first_offset, std::string_view unwritten)>;
/// Called once, with the result of the write.
using write_done = detail::any_handler<void(store::write_result)>;
/// Identifies a queued append of one write queue.
using append_ticket = std::uint64_t;

/// Documents that wait to be appended together.
struct queued_append {
    append_ticket id = 0;
    store::log_id log;
    log::segment_text documents;
    append_done done;
    /// By then it must have been handed to the store.
    steady_time deadline;
    /// What it counts towards the limit of pending bytes.
    std::size_t bytes = 0;
};

/// Any other write that waits.
struct queued_write {
    store::write_request request;
    write_done done;
};

}  // namespace minibatch::runtime
