#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/strand.hpp>
#include <exception>
#include <functional>
#include <memory>
#include <minibatch/streaming.hpp>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "api/database_core.hpp"

namespace minibatch::detail {

/// One call of `streaming`: joins the group, runs the workers, and completes when all of them have ended.
///
/// The caller's executor may be any. What the workers share runs on a strand over it. Each worker runs on a strand of
/// its own, since a coroutine on several threads cannot be cancelled.
class streaming_loop : public std::enable_shared_from_this<streaming_loop> {
  public:
    streaming_loop(database db, std::string name, strategy how, streaming_options options, window_handler handler,
                   completion<> done);

    /// Once, after construction.
    void start();

  private:
    using strand = asio::strand<asio::any_io_executor>;
    struct worker {
        explicit worker(strand own) : place(std::move(own)) {}
        strand place;
        asio::cancellation_signal cancel;  // emitted on `place`
    };

    // The following run on the strand.
    void join();
    void joined(std::exception_ptr problem, consumer made);
    void worker_ended(std::exception_ptr problem);
    void stop();
    void cancel();
    void interrupt_join();
    void cancel_workers();
    void wake();
    void finish();
    asio::awaitable<consumer> try_to_join();
    asio::awaitable<void> pause(std::chrono::milliseconds delay);

    /// Runs on the worker's strand.
    asio::awaitable<void> work(consumer from);

    strand const strand_;
    std::shared_ptr<database_core> core_;
    database db_;
    std::string const name_;
    strategy const how_;
    streaming_options options_;
    window_handler handler_;
    operation<> op_;

    std::optional<std::stop_callback<std::function<void()>>> on_stop_;
    bool stopping_ = false;
    bool cancelled_ = false;

    asio::cancellation_signal joining_;
    any_handler<void()> resume_;  // of `pause`
    std::unique_ptr<runtime::timer> alarm_;

    std::optional<consumer> consumer_;  // once joined
    std::vector<std::shared_ptr<worker>> workers_;
    int running_ = 0;
    std::exception_ptr first_problem_;
};

}  // namespace minibatch::detail
