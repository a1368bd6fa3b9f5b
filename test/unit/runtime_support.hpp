#pragma once

#include <string>

#include "runtime/append_queue.hpp"
#include "runtime/queued_write.hpp"

namespace minibatch::test {

using runtime::milliseconds;

inline runtime::steady_time at(milliseconds when) { return runtime::steady_time(when); }

/// An append of one document of 11 bytes, which counts with `bytes` or, by default, with those of its segment.
inline runtime::queued_append queued(runtime::append_ticket id, milliseconds deadline = milliseconds(0),
                                     std::size_t bytes = 0, int partition = 0) {
    log::segment_text text;
    text.add(R"({"value":1})");
    auto const size = bytes > 0 ? bytes : text.size();
    return {id, {1, partition}, std::move(text), {}, at(deadline), size};
}

}  // namespace minibatch::test
