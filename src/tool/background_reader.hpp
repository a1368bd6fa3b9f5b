#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tool/line_reader.hpp"

namespace minibatch::tool {

namespace asio = boost::asio;

/// Reads lines on a thread of its own, since files and pipes block. The lines are taken on the tool's executor.
class background_reader {
  public:
    background_reader(asio::any_io_executor executor, std::vector<std::string> files);
    ~background_reader();
    background_reader(background_reader const&) = delete;
    background_reader& operator=(background_reader const&) = delete;

    /// Waits for lines and takes all that have arrived; none at the end of the input, or where `stop` ended it. Throws
    /// what the reader has thrown, after the lines before it.
    asio::awaitable<std::vector<input_line>> next();

    /// Ends the reading once what lies in the pipe has been read.
    void stop();

    /// Whether all input was read. Once `next` has returned no lines or has thrown.
    bool reached_end() const;

    /// Stops, and takes the lines that `next` has not taken. Waits for the reading thread.
    std::vector<input_line> take_rest();

    /// The line of which only the beginning was read. After `take_rest`.
    std::optional<line_place> incomplete() const { return reader_.incomplete(); }

  private:
    void read_all();
    bool full() const noexcept;

    asio::any_io_executor executor_;
    std::shared_ptr<asio::steady_timer> arrived_;
    mutable std::mutex mutex_;
    std::condition_variable room_;
    std::vector<input_line> lines_;
    std::size_t bytes_ = 0;  // of `lines_`
    bool ended_ = false;
    bool at_end_ = false;
    bool stopped_ = false;
    std::exception_ptr problem_;
    line_reader reader_;
    std::thread thread_;
};

}  // namespace minibatch::tool
