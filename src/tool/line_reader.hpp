#pragma once

#include <cstddef>
#include <cstdint>
#include <minibatch/document.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace minibatch::tool {

/// One line of the input, without its line break.
struct input_line {
    /// The file as the user named it, "-" for standard input. Valid as long as the reader.
    std::string_view file;
    /// From 1, in each file.
    std::uint64_t number = 0;
    /// Empty when too large.
    std::string text;
    bool too_large = false;
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
        /// `stop` was called. An unfinished line has been dropped, every complete one handed over.
        stopped,
    };

    explicit line_reader(std::vector<std::string> files, std::size_t max_line_bytes = default_max_line_bytes);
    ~line_reader();
    line_reader(line_reader const&) = delete;
    line_reader& operator=(line_reader const&) = delete;

    /// Blocks until at least one line is complete and replaces `lines` by all that are: what is there is delivered
    /// together, nothing waits for more. The last line of a file needs no line break. A line that is too large is
    /// reported as soon as that is known, and the rest of it skipped. Throws std::system_error, which names the
    /// file, when it cannot be opened or read; the next call goes on with the next file.
    status read(std::vector<input_line>& lines);

    /// Ends a `read` that waits, and all later ones. From any thread or a signal handler.
    void stop() noexcept;

  private:
    bool open_next();
    void close_file() noexcept;
    bool wait_for_input() const;
    void split(std::string_view block, std::vector<input_line>& lines);
    void end_file(std::vector<input_line>& lines);
    void take(std::string_view rest, std::vector<input_line>& lines);
    [[noreturn]] void fail(int error_number);

    std::vector<std::string> files_;
    std::size_t max_line_bytes_;
    std::size_t next_file_ = 0;
    std::string_view file_;
    int input_ = -1;
    int wake_up_;
    std::uint64_t number_ = 0;  // of the last line handed over
    bool skipping_ = false;     // the rest of a line that is too large
    std::string unfinished_;
    std::vector<char> block_;
};

}  // namespace minibatch::tool
