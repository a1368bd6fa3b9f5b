#pragma once

#include <functional>
#include <string_view>

namespace minibatch {

enum class log_level { debug, info, warning, error };

/// Receives log messages. Called from any thread, possibly from several at the same time. Must not throw and must not
/// block for long. Messages never contain credentials.
using log_callback = std::function<void(log_level, std::string_view message)>;

/// Returns "debug", "info", "warning" or "error".
constexpr std::string_view to_string(log_level level) noexcept {
    switch (level) {
        case log_level::debug:
            return "debug";
        case log_level::info:
            return "info";
        case log_level::warning:
            return "warning";
        case log_level::error:
            return "error";
    }
    return "error";
}

}  // namespace minibatch
