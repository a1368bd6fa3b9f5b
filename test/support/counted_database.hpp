#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <future>
#include <map>
#include <memory>
#include <minibatch.hpp>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "api/database_core.hpp"
#include "store/open.hpp"

namespace minibatch::test {

/// How many commands of each name.
using command_counts = std::map<std::string, std::int64_t>;

/// Commands that were sent to the server. Thread-safe.
class command_counter {
  public:
    void add(std::string_view name) {
        std::lock_guard const lock(mutex_);
        ++counts_[std::string(name)];
    }
    /// Those since the last call.
    command_counts take() {
        std::lock_guard const lock(mutex_);
        return std::exchange(counts_, {});
    }

  private:
    std::mutex mutex_;
    command_counts counts_;
};

/// A database handle as `connect` makes it, on as many threads, that counts what it sends to the server. What was made
/// from the handle must not outlive this. The constructor blocks while the database is opened, and throws
/// minibatch::error. The destructor waits, for at most 10 s, until what was handed over has been written.
class counted_database {
  public:
    explicit counted_database(std::string const& url, connect_options const& options = {})
        : workers_(options.threads), keep_running_(loop_.get_executor()) {
        store::open_options how;
        how.timeout = options.connect_timeout;
        how.readers = static_cast<int>(options.threads);
        how.on_command = [to = counter_](std::string_view name) { to->add(name); };
        runtime::environment env;
        env.loop = loop_.get_executor();
        env.workers = workers_.get_executor();
        env.time = runtime::real_scheduler(env.loop);
        env.database = store::open_store(url, how);
        env.timeout = options.timeout;
        auto core = detail::database_core::on(std::move(env), options.max_pending_bytes);
        engine_ = core->engine();
        handle_ = database(std::move(core));
        thread_ = std::thread([this] { loop_.run(); });
    }
    ~counted_database() {
        auto const limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        auto const wait_for = [&](auto const& done) {
            while (!done() && std::chrono::steady_clock::now() < limit)
                std::this_thread::sleep_for(std::chrono::milliseconds(1));
        };
        wait_for([&] { return engine_->active == 0; });
        engine_->writes->close();
        wait_for([&] { return !engine_->writes->owes(); });
        handle_ = {};
        std::promise<void> passed;
        boost::asio::post(loop_, [&] { passed.set_value(); });
        passed.get_future().wait();
        keep_running_.reset();
        loop_.stop();
        thread_.join();
        workers_.join();
    }
    counted_database(counted_database const&) = delete;
    counted_database& operator=(counted_database const&) = delete;

    database const& handle() const noexcept { return handle_; }
    /// The commands since the last call, by name.
    command_counts take() { return counter_->take(); }

  private:
    std::shared_ptr<command_counter> const counter_ = std::make_shared<command_counter>();
    boost::asio::io_context loop_{1};
    boost::asio::thread_pool workers_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> keep_running_;
    std::shared_ptr<runtime::engine> engine_;
    database handle_;
    std::thread thread_;
};

}  // namespace minibatch::test
