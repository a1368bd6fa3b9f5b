#pragma once

#include <stdexcept>
#include <string_view>

namespace minibatch::tool {

/// Occupies the standard descriptors that are closed, so that no file opened later gets the number of one. Reading
/// from and writing to an occupied one fails with EBADF, as on a closed one. Called first in `main`.
void occupy_closed_descriptors() noexcept;

/// Standard output cannot be written to: its disk is full, for example.
struct output_error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// The reader of standard output has closed it.
struct output_closed : std::exception {
    char const* what() const noexcept override { return "standard output was closed by its reader"; }
};

/// Writes all of a text to standard output, past any buffer. Throws output_error or output_closed.
void write_out(std::string_view text);

/// Whether it is a pipe whose reader has closed it.
bool output_is_closed() noexcept;

/// Writes a message for the user to standard error, as `minibatch: TEXT`. Control characters, which a terminal might
/// execute, are shown as `\x1b`.
void complain(std::string_view text);

/// The same without the name of the program, for what begins with the place of a line: `FILE:LINE: TEXT`.
void complain_of_line(std::string_view text);

}  // namespace minibatch::tool
