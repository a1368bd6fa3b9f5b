#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdint>
#include <tuple>
#include <vector>

#include "tool/exit_code.hpp"
#include "tool/session.hpp"
#include "tool/standard_streams.hpp"

namespace minibatch::tool {
namespace {

constexpr std::int64_t page = 10'000;
/// How often `--follow` looks for new messages: at first, and after a while without any.
constexpr duration shortest_pause{50};
constexpr duration longest_pause{500};

/// Prints messages of a stream, partition by partition.
class peeking {
  public:
    peeking(session& in, stream source, std::optional<std::int64_t> limit)
        : in_(in),
          source_(std::move(source)),
          next_(static_cast<std::size_t>(source_.partitions()), 0),
          left_(limit.value_or(INT64_MAX)) {}

    bool limit_reached() const noexcept { return left_ == 0; }

    /// Begins at the end.
    asio::awaitable<void> skip_all() {
        for (int partition = 0; partition < source_.partitions(); ++partition) {
            auto const newest = co_await read(partition, -1, 1);
            if (!newest.empty()) next_of(partition) = newest.back().offset() + 1;
        }
    }
    /// Begins at the newest `count` messages of the whole stream, by the time they were written.
    asio::awaitable<void> skip_to_last(std::int64_t count) {
        if (source_.partitions() == 1) {
            next_of(0) = -count;
            co_return;
        }
        std::vector<message> newest;
        for (int partition = 0; partition < source_.partitions(); ++partition) {
            auto begin = -count;
            for (;;) {
                auto const found = co_await read(partition, begin, page);
                if (found.empty()) break;
                begin = found.back().offset() + 1;
                next_of(partition) = begin;
                newest.insert(newest.end(), found.begin(), found.end());
                keep_newest(newest, count);
            }
        }
        for (auto const& message : newest)
            next_of(message.partition()) = std::min(next_of(message.partition()), message.offset());
    }

    /// Prints what is there. Returns whether there was anything.
    asio::awaitable<bool> print() {
        bool any = false;
        for (int partition = 0; partition < source_.partitions(); ++partition) {
            while (left_ > 0) {
                auto const found = co_await read(partition, next_of(partition), std::min(left_, page));
                if (found.empty()) break;
                any = true;
                std::string out;
                for (auto const& message : found) out.append(message.text()) += '\n';
                next_of(partition) = found.back().offset() + 1;
                left_ -= static_cast<std::int64_t>(found.size());
                write_out(out);
            }
        }
        co_return any;
    }

  private:
    asio::awaitable<std::vector<message>> read(int partition, std::int64_t from, std::int64_t limit) {
        auto const call = [&] { return source_.peek(partition, from, static_cast<std::size_t>(limit)); };
        co_return co_await in_.persist(call);
    }
    std::int64_t& next_of(int partition) { return next_[static_cast<std::size_t>(partition)]; }

    static void keep_newest(std::vector<message>& messages, std::int64_t count) {
        if (messages.size() <= static_cast<std::size_t>(count)) return;
        auto const end = messages.begin() + count;
        std::nth_element(messages.begin(), end - 1, messages.end(), [](message const& a, message const& b) {
            return std::tuple(a.created(), a.partition(), a.offset()) >
                   std::tuple(b.created(), b.partition(), b.offset());
        });
        messages.erase(end, messages.end());
    }

    session& in_;
    stream source_;
    std::vector<std::int64_t> next_;  // offset of the next message of each partition
    std::int64_t left_;
};

}  // namespace

asio::awaitable<int> run_peek(session& in, peek_options options) {
    // A signal ends it between two pages of whole lines: there is nothing else in hand.
    if (options.follow) in.endless();
    auto const db = co_await in.connect_for_reading();
    auto const find = [&] { return db.find_stream(options.stream); };
    auto source = co_await in.persist(find);
    peeking work(in, std::move(source), options.limit);
    if (options.last) co_await work.skip_to_last(*options.last);
    if (options.from == start_at::latest) co_await work.skip_all();
    asio::steady_timer timer(co_await asio::this_coro::executor);
    for (auto pause = shortest_pause;; pause = std::min(pause * 2, longest_pause)) {
        if (co_await work.print()) pause = shortest_pause;
        if (!options.follow || work.limit_reached()) break;
        if (output_is_closed()) throw output_closed();
        timer.expires_after(pause);
        co_await timer.async_wait(asio::use_awaitable);
    }
    in.on_stop = [] {};
    in.settled();
    co_return exit_done;
}

}  // namespace minibatch::tool
