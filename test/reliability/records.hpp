#pragma once

#include <cstdint>
#include <minibatch/message.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace minibatch::test {

/// What one message of the stream says: which producer wrote it, which of its numbers it is, and from which to which
/// number the call went that wrote it.
struct numbered {
    int partition = 0;
    std::int64_t offset = 0;
    std::int64_t created = 0;
    int producer = 0;
    std::int64_t number = 0;
    std::int64_t call_first = 0;
    std::int64_t call_last = 0;

    bool operator==(numbered const&) const = default;
};

boost::json::value to_document(numbered const& from);
numbered from_message(message const& from);

/// The messages of a window as one word of a report; "-" when there are none. The partition is told apart from them.
std::string to_word(std::vector<numbered> const& messages);
std::vector<numbered> from_word(std::string const& word, int partition);

/// Reports of processes that may be killed at any moment, several of them into one file: one write(2) a line. A kill
/// can cut off even that write, so a line begins with a line break and ends with a mark; one without the mark counts as
/// never written.
class report {
  public:
    explicit report(std::string const& path);
    ~report();
    report(report const&) = delete;
    report& operator=(report const&) = delete;

    void line(std::string const& text) const;

  private:
    int file_;
};

/// Removes the mark; false if the line was cut off (or is empty).
bool is_whole(std::string& line);
/// The whole lines of a report, in the order in which they were written; none if there is no such file.
std::vector<std::string> whole_lines(std::string const& path);

}  // namespace minibatch::test
