#pragma once

#include <string_view>

namespace minibatch {

/// The reason why a window was closed.
enum class window_reason {
    count,    ///< it reached its number of messages
    time,     ///< its interval ended
    bytes,    ///< the next message would have exceeded `max_bytes`
    timeout,  ///< its first message reached `max_age`
    flush,    ///< the consumer was stopped with `drain::flush`
    custom,   ///< a custom emitter closed it
};

/// Returns "count", "time", "bytes", "timeout", "flush" or "custom".
constexpr std::string_view to_string(window_reason reason) noexcept {
    switch (reason) {
        case window_reason::count:
            return "count";
        case window_reason::time:
            return "time";
        case window_reason::bytes:
            return "bytes";
        case window_reason::timeout:
            return "timeout";
        case window_reason::flush:
            return "flush";
        case window_reason::custom:
            return "custom";
    }
    return "custom";
}

}  // namespace minibatch
