#pragma once

#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "tool/background_reader.hpp"
#include "tool/progress_line.hpp"
#include "tool/session.hpp"

namespace minibatch::tool {

/// What has become of the input so far, for the line of JSON at the end.
struct append_tally {
    std::int64_t appended = 0;
    std::int64_t skipped = 0;
    std::int64_t without_key = 0;
    std::optional<std::int64_t> first;
    std::optional<std::int64_t> last;

    std::string line(append_options const& options) const;
};

/// The work of `append` once the stream is open: takes lines as they arrive, and stores them.
class appender {
  public:
    appender(session& in, append_options const& options, stream target, background_reader& reader, append_tally& done);

    /// Stores lines until the end of the input, a bad line, an error, or a signal, and says why it ended early. Returns
    /// the exit code.
    asio::awaitable<int> run();

  private:
    /// Documents that are stored together, in one partition.
    struct batch {
        std::vector<encoded_document> documents;
        std::size_t bytes = 0;
        std::string key;
        line_place first;
        line_place last;

        bool accepts(encoded_document const& document, std::string const& its_key) const;
        void add(encoded_document document, std::string its_key, line_place const& where);
    };
    struct failure {
        std::string why;
        int code = 0;
        bool outcome_unknown = false;
    };

    asio::awaitable<void> store_lines();
    asio::awaitable<void> store();
    bool is_good(input_line const& line, encoded_document& document, std::string& key);
    void report_keys() const;
    int report(std::exception_ptr const& problem);
    failure describe(std::exception_ptr const& problem) const;
    int report_stop();

    session& in_;
    append_options const& options_;
    stream target_;
    background_reader& reader_;
    append_tally& done_;
    int code_;
    progress_line progress_;
    batch batch_;
    std::vector<input_line> lines_;
    std::size_t at_ = 0;  // in `lines_`: those before it are in the batch, or done with
    line_place last_read_;
    line_place first_without_key_;
};

}  // namespace minibatch::tool
