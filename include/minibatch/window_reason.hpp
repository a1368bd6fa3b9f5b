#pragma once

#include <string_view>

namespace minibatch {

/// Why a window was closed.
enum class window_reason {
    count,    ///< it reached the number of messages asked for
    time,     ///< its interval is over
    bytes,    ///< the next message would have exceeded `max_bytes`
    timeout,  ///< its first message reached `max_age`
    flush,    ///< the open remainder was asked for
    custom,   ///< a custom emitter decided so
};

/// The name of a reason as it appears in output: "count", "time", "bytes", "timeout", "flush", "custom".
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
