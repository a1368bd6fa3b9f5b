#include "tool/session.hpp"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <cstdlib>
#include <future>
#include <thread>
#include <utility>

#include "store/url.hpp"
#include "tool/exit_code.hpp"
#include "tool/standard_streams.hpp"

namespace minibatch::tool {
namespace {

/// How long the driver may take to end its sessions on the server.
constexpr std::chrono::milliseconds time_to_close{100};

bool names_a_server(std::string const& url) {
    return store::lower(url.empty() ? store::default_url() : url).starts_with("mongodb");
}

}  // namespace

asio::awaitable<database> session::connect(bool create) {
    connect_options options;
    options.create = create;
    return open(std::move(options));
}

asio::awaitable<database> session::connect_for_reading() {
    connect_options options;
    options.read_only = true;
    return open(std::move(options));
}

asio::awaitable<database> session::open(connect_options options) {
    options.timeout = timeout_;
    options.connect_timeout = timeout_;
    options.log = [](log_level level, std::string_view text) {
        if (level == log_level::warning || level == log_level::error) complain(text);
    };
    auto const connect_once = [&]() -> asio::awaitable<database> {
        std::optional<std::string> not_there;
        try {
            co_return co_await minibatch::connect(url_, options);
        } catch (error const& problem) {
            if (problem.code() != errc::unavailable || names_a_server(url_)) throw;
            not_there = problem.what();
        }
        throw std::runtime_error(*not_there);
    };
    open_ = co_await persist(connect_once);
    co_return open_;
}

void session::close(int exit_code) {
    if (!settled_ || !names_a_server(url_)) {
        open_ = {};
        return;
    }
    std::promise<void> closed;
    auto const in_time = closed.get_future();
    std::thread([last = std::exchange(open_, {}), closed = std::move(closed)]() mutable {
        last = {};
        closed.set_value();
    }).detach();
    if (in_time.wait_for(time_to_close) != std::future_status::ready) std::_Exit(exit_code);
}

asio::awaitable<void> session::pause_after(error const& problem, clock::time_point began, int tries) const {
    if (stopping() && !on_stop) leave(stopped_code());
    auto const pause = std::min<duration>(duration(50) * (1 << std::min(tries, 5)), duration(1'000));
    bool const in_time = timeout_.count() == 0 || clock::now() + pause < began + timeout_;
    // The library has waited for a server for the whole time-out, and for a lock. A file it reports at once.
    bool const waited =
        problem.code() == errc::timeout || (problem.code() == errc::unavailable && names_a_server(url_));
    if (waited || !in_time) throw error(problem);
    asio::steady_timer timer(co_await asio::this_coro::executor, pause);
    boost::system::error_code ended;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ended));
    if (ended) throw error(problem);
}

void session::stop(int signal_number) {
    signal_ = signal_number;
    if (on_stop) return on_stop();
    leave(stopped_code());
}

void session::leave(int exit_code) const {
    if (before_leaving) before_leaving();
    std::_Exit(exit_code);
}

int session::stopped_code() const noexcept { return endless_ ? exit_done : exit_by_signal(signal_); }

char const* session::signal_name() const noexcept {
    return signal_ == SIGINT ? "SIGINT" : signal_ == SIGHUP ? "SIGHUP" : "SIGTERM";
}

}  // namespace minibatch::tool
