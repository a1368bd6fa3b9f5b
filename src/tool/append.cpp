#include <unistd.h>

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/serialize.hpp>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <thread>

#include "tool/line_reader.hpp"
#include "tool/option_values.hpp"
#include "tool/session.hpp"

namespace minibatch::tool {
namespace {

/// The lines that have arrived are handed over together, up to so many at a time.
constexpr std::size_t max_batch = 1'000;

/// Reads on a thread of its own, since files and pipes block, and is taken from on the tool's executor.
class background_reader {
  public:
    background_reader(asio::any_io_executor executor, std::vector<std::string> files)
        : executor_(std::move(executor)),
          arrived_(std::make_shared<asio::steady_timer>(executor_, asio::steady_timer::time_point::max())),
          reader_(std::move(files)),
          thread_([this] { read_all(); }) {}
    ~background_reader() {
        stop();
        thread_.join();
    }
    background_reader(background_reader const&) = delete;
    background_reader& operator=(background_reader const&) = delete;

    void stop() {
        {
            std::lock_guard const lock(mutex_);
            stopped_ = true;
        }
        reader_.stop();
        room_.notify_all();
    }

    /// The lines that have arrived; empty at the end.
    asio::awaitable<std::vector<input_line>> next() {
        for (;;) {
            {
                std::lock_guard const lock(mutex_);
                if (!lines_.empty()) {
                    room_.notify_all();
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

  private:
    void read_all() {
        std::vector<input_line> read;
        for (auto status = line_reader::status::lines; status == line_reader::status::lines;) {
            read.clear();
            std::exception_ptr problem;
            try {
                status = reader_.read(read);
            } catch (...) {
                problem = std::current_exception();
                status = line_reader::status::end;
            }
            std::unique_lock lock(mutex_);
            std::move(read.begin(), read.end(), std::back_inserter(lines_));
            problem_ = problem;
            ended_ = status != line_reader::status::lines;
            // Run when its turn comes, perhaps after this object has gone.
            asio::post(executor_, [arrived = arrived_] { arrived->cancel(); });
            room_.wait(lock, [&] { return lines_.size() < 10 * max_batch || stopped_; });
        }
    }

    asio::any_io_executor executor_;
    std::shared_ptr<asio::steady_timer> arrived_;
    std::mutex mutex_;
    std::condition_variable room_;
    std::vector<input_line> lines_;
    bool ended_ = false;
    bool stopped_ = false;
    std::exception_ptr problem_;
    line_reader reader_;
    std::thread thread_;
};

/// What has become of the input so far, for the line of JSON at the end.
struct tally {
    std::int64_t appended = 0;
    std::int64_t skipped = 0;
    std::optional<std::int64_t> first;
    std::optional<std::int64_t> last;

    std::string line(bool one_partition, bool with_skipped) const {
        boost::json::object out{{"appended", appended}, {"first", nullptr}, {"last", nullptr}};
        if (one_partition && first) out["first"] = *first;
        if (one_partition && last) out["last"] = *last;
        if (with_skipped) out["skipped"] = skipped;
        return boost::json::serialize(out) + "\n";
    }
};

std::string key_of(encoded_document const& document, std::string const& field) {
    auto const value = decode_document(document.text);
    auto const* found = value.as_object().if_contains(field);
    if (!found) return {};
    return found->is_string() ? std::string(found->as_string()) : boost::json::serialize(*found);
}

}  // namespace

asio::awaitable<int> run_append(session& in, append_options options) {
    auto const db = co_await in.connect(true);
    auto target = co_await stream::get_or_create(db, options.stream);
    bool const one_partition = target.partitions() == 1;
    bool const by_key = options.key && !one_partition;
    bool const terminal = isatty(STDERR_FILENO) != 0;
    auto next_progress = std::chrono::steady_clock::now() + std::chrono::seconds(1);

    tally done;
    int code = exit_done;
    std::exception_ptr problem;
    background_reader reader(co_await asio::this_coro::executor, options.files);
    in.on_stop = [&reader] { reader.stop(); };
    if (in.stopping) reader.stop();
    try {
        for (bool more = true; more;) {
            auto const lines = co_await reader.next();
            more = !lines.empty();
            std::vector<encoded_document> documents;
            std::string key;
            std::size_t bytes = 0;
            for (std::size_t i = 0; i <= lines.size() && more; ++i) {
                encoded_document document;
                bool const at_end = i == lines.size();
                if (!at_end) {
                    auto const& line = lines[i];
                    if (!line.too_large && line.text.find_first_not_of(" \t\r") == std::string::npos) continue;
                    document = line.too_large ? encoded_document{{},
                                                                 error(errc::document_too_large,
                                                                       "the line is longer than a document may be, "
                                                                       "which is 15 MiB (15728640 bytes)")}
                                              : encode_document_text(line.text);
                    if (document.problem) {
                        auto const where = std::string(line.file) + ":" + std::to_string(line.number);
                        std::fprintf(stderr, "%s\n", printable(where + ": " + document.problem->what()).c_str());
                        if (options.skip_bad) {
                            ++done.skipped;
                            continue;
                        }
                        code = exit_wrong_use;
                        more = false;
                    }
                }
                auto const flush = at_end || !more;
                auto const own_key = by_key && !flush ? key_of(document, *options.key) : std::string();
                if (!documents.empty() && (flush || documents.size() >= max_batch ||
                                           bytes + document.text.size() > max_document_bytes / 2 || own_key != key)) {
                    auto const count = static_cast<std::int64_t>(documents.size());
                    auto const where = co_await target.append_encoded(std::exchange(documents, {}), {.key = key});
                    if (!done.first) done.first = where.offset;
                    done.last = where.offset + count - 1;
                    done.appended += count;
                    bytes = 0;
                    if (terminal && std::chrono::steady_clock::now() >= next_progress) {
                        std::fprintf(stderr, "\r%lld appended", static_cast<long long>(done.appended));
                        next_progress += std::chrono::seconds(1);
                    }
                }
                if (flush) break;
                key = own_key;
                bytes += document.text.size();
                documents.push_back(std::move(document));
            }
        }
    } catch (...) {
        problem = std::current_exception();
    }
    in.on_stop = nullptr;
    if (terminal && done.appended > 0) std::fputs("\r", stderr);
    write_out(done.line(one_partition, options.skip_bad));
    if (problem) std::rethrow_exception(problem);
    co_return code;
}

}  // namespace minibatch::tool
