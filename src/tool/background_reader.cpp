#include "tool/background_reader.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <iterator>
#include <utility>

namespace minibatch::tool {
namespace {

/// How much is read ahead while the database does not keep up.
constexpr std::size_t max_lines_ahead = 10'000;
constexpr std::size_t max_bytes_ahead = std::size_t{32} << 20;

}  // namespace

background_reader::background_reader(asio::any_io_executor executor, std::vector<std::string> files)
    : executor_(std::move(executor)),
      arrived_(std::make_shared<asio::steady_timer>(executor_, asio::steady_timer::time_point::max())),
      reader_(std::move(files)),
      thread_([this] { read_all(); }) {}

background_reader::~background_reader() {
    stop();
    if (thread_.joinable()) thread_.join();
}

void background_reader::stop() {
    {
        std::lock_guard const lock(mutex_);
        stopped_ = true;
    }
    reader_.stop();
    room_.notify_all();
}

asio::awaitable<std::vector<input_line>> background_reader::next() {
    for (;;) {
        {
            std::lock_guard const lock(mutex_);
            if (!lines_.empty()) {
                room_.notify_all();
                bytes_ = 0;
                co_return std::exchange(lines_, {});
            }
            if (ended_) {
                if (problem_) std::rethrow_exception(std::exchange(problem_, nullptr));
                co_return std::vector<input_line>();
            }
        }
        boost::system::error_code woken;
        co_await arrived_->async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
}

bool background_reader::reached_end() const {
    std::lock_guard const lock(mutex_);
    return at_end_;
}

std::vector<input_line> background_reader::take_rest() {
    stop();
    if (thread_.joinable()) thread_.join();
    std::lock_guard const lock(mutex_);
    return std::exchange(lines_, {});
}

bool background_reader::full() const noexcept { return lines_.size() >= max_lines_ahead || bytes_ >= max_bytes_ahead; }

void background_reader::read_all() {
    std::vector<input_line> read;
    for (auto status = line_reader::status::lines; status == line_reader::status::lines;) {
        read.clear();
        std::exception_ptr problem;
        try {
            status = reader_.read(read);
        } catch (...) {
            problem = std::current_exception();
            status = line_reader::status::stopped;
        }
        std::unique_lock lock(mutex_);
        for (auto const& line : read) bytes_ += line.text.size();
        std::move(read.begin(), read.end(), std::back_inserter(lines_));
        problem_ = problem;
        ended_ = status != line_reader::status::lines;
        at_end_ = status == line_reader::status::end;
        // Runs when its turn comes, perhaps after this object has gone.
        asio::post(executor_, [arrived = arrived_] { arrived->cancel(); });
        room_.wait(lock, [&] { return !full() || stopped_; });
    }
}

}  // namespace minibatch::tool
