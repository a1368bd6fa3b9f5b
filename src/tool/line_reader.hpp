#pragma once

#include <cstddef>
#include <cstdint>
#include <minibatch/document.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace minibatch::tool {

/// A line of the input: which file, as the user named it ("-" for standard input), and which line of it, from 1. Valid
/// as long as the reader.
struct line_place {
    std::string_view file;
    std::uint64_t number = 0;
    friend bool operator==(line_place const&, line_place const&) = default;
};

/// `FILE:LINE`.
std::string to_string(line_place const& where);

/// One line of the input, without its line break.
struct input_line : line_place {
    /// Empty when too large.
    std::string text;
    bool too_large = false;
    /// It is the first one of its file that is not blank, and begins with `[`.
    bool begins_array = false;

    /// It holds white space alone, and stands for no document.
    bool blank() const noexcept { return !too_large && text.find_first_not_of(" \t\r") == std::string::npos; }
};

/// Reads lines from files, pipes and standard input, one after the other, and hands each over as soon as it is
/// complete. Holds at most one line and one block of input in memory. `read` is for one thread at a time.
class line_reader {
  public:
    /// A document may have white space around it that does not count.
    static constexpr std::size_t default_max_line_bytes = max_document_bytes + 64 * 1024;

    enum class status {
        /// There are lines.
        lines,
        /// All input has been read.
        end,
        /// `stop` was called before the end of the input. Every complete line has been handed over.
        stopped,
    };

    explicit line_reader(std::vector<std::string> files, std::size_t max_line_bytes = default_max_line_bytes);
    ~line_reader();
    line_reader(line_reader const&) = delete;
    line_reader& operator=(line_reader const&) = delete;

    /// Blocks until at least one line is complete and replaces `lines` by all that are: what is there is delivered
    /// together, nothing waits for more. The last line of a file needs no line break. A byte order mark at the start of
    /// a file is skipped. A line that is too large is reported as soon as that is known, and the rest of it skipped.
    /// Throws std::system_error, which names the file, when it cannot be opened or read, and wrong_format when it is
    /// compressed or not UTF-8; the next call goes on with the next file.
    status read(std::vector<input_line>& lines);

    /// Ends a `read` that waits, and all later ones, once what lies in the pipe at that moment has been read. From any
    /// thread or a signal handler.
    void stop() noexcept;

    /// The line whose beginning has been read from a pipe and dropped: `stop` or an error came before its end. Not
    /// while `read` runs.
    std::optional<line_place> incomplete() const;

  private:
    bool open_next();
    void close_file() noexcept;
    bool wait_for_input() const;
    bool is_pipe() const noexcept;
    std::size_t bytes_in_pipe() const noexcept;
    bool at_end() const noexcept;
    void begin_file(std::string_view block, std::vector<input_line>& lines);
    void split(std::string_view block, std::vector<input_line>& lines);
    void end_file(std::vector<input_line>& lines);
    void take(std::string_view rest, std::vector<input_line>& lines);
    void abandon_file();
    [[noreturn]] void fail(int error_number);

    std::vector<std::string> files_;
    std::size_t max_line_bytes_;
    std::size_t next_file_ = 0;
    std::string_view file_;
    int input_ = -1;
    int wake_up_;
    std::optional<std::size_t> left_;  // to be read after `stop`
    bool begun_ = false;               // the file's format is known
    bool any_text_ = false;            // the file has had a line that is not blank
    std::string first_bytes_;          // until then
    std::uint64_t number_ = 0;         // of the last line handed over
    bool skipping_ = false;            // the rest of a line that is too large
    std::string unfinished_;
    std::optional<line_place> dropped_;
    std::vector<char> block_;
};

}  // namespace minibatch::tool
