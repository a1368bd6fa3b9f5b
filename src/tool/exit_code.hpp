#pragma once

#include <minibatch/error.hpp>

namespace minibatch::tool {

/// Exit codes of the tool. A command that a signal ended before its end exits with 128 and the signal's number.
inline constexpr int exit_done = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_wrong_use = 2;
/// Trying again may succeed: the database was unreachable, busy or full, or the outcome is unknown. EX_TEMPFAIL.
inline constexpr int exit_try_again = 75;
/// The reader of standard output has closed it. What a shell reports for SIGPIPE.
inline constexpr int exit_output_closed = 141;

/// The code of a command that was ended by this signal.
constexpr int exit_by_signal(int number) noexcept { return 128 + number; }

/// Whether an operation that failed so may succeed later, when the database is reachable, idle, or has space again.
bool is_temporary(error_code code) noexcept;

/// The exit code of a command that ended with this error.
int exit_code_of(error_code code) noexcept;

}  // namespace minibatch::tool
