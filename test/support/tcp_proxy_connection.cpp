#include "support/tcp_proxy_connection.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <exception>

namespace minibatch::test::proxy {
namespace {

constexpr auto quietly = asio::as_tuple(asio::use_awaitable);

/// A hook that throws ends the program, and does so where it can be seen.
void rethrow(std::exception_ptr thrown) {
    if (thrown) std::rethrow_exception(thrown);
}

/// The length of the first message; 0: it cannot be right.
std::size_t message_length(std::string_view begin) {
    std::uint32_t length = 0;
    for (std::size_t i = 0; i < 4; ++i)
        length |= std::uint32_t{static_cast<unsigned char>(begin[i])} << static_cast<unsigned>(8 * i);
    return length < 16 || length > 64u * 1024 * 1024 ? 0 : length;
}

}  // namespace

void counters::change(std::function<void(proxy_counts&)> const& how) {
    {
        std::lock_guard const lock(mutex_);
        how(now_);
    }
    changed_.notify_all();
}

proxy_counts counters::read() const {
    std::lock_guard const lock(mutex_);
    return now_;
}

bool counters::wait_for(std::function<bool(proxy_counts const&)> const& wanted, std::chrono::milliseconds limit) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, limit, [&] { return wanted(now_); });
}

connection::connection(tcp::socket client, faults& common, counters& counts, framing how)
    : client_(std::move(client)),
      server_(client_.get_executor()),
      timers_{asio::steady_timer(client_.get_executor()), asio::steady_timer(client_.get_executor())},
      faults_(common),
      counts_(counts),
      framing_(how),
      left_(common.limit) {
    counts_.change([](proxy_counts& now) { ++now.accepted, ++now.open; });
}

connection::~connection() { close(false); }

void connection::start(tcp::endpoint target) {
    auto work = [self = shared_from_this(), target] { return self->serve(target); };
    asio::co_spawn(client_.get_executor(), std::move(work), rethrow);
}

void connection::close(bool as_fault) {
    if (closed_) return;
    closed_ = true;
    // Counted before anybody can see it.
    counts_.change([&](proxy_counts& now) {
        --now.open;
        if (as_fault) ++now.cut;
    });
    boost::system::error_code ignored;
    client_.close(ignored);
    server_.close(ignored);
    for (auto& timer : timers_) timer.cancel();
}

asio::awaitable<void> connection::serve(tcp::endpoint target) {
    // In a black hole not even the server notices.
    if (faults_.blackhole) {
        dead_ = {true, true};
        co_return co_await pump(direction::request);
    }
    auto const [failure] = co_await server_.async_connect(target, quietly);
    if (failure || closed_) co_return close(false);
    boost::system::error_code ignored;
    client_.set_option(tcp::no_delay(true), ignored);
    server_.set_option(tcp::no_delay(true), ignored);
    auto answers = [self = shared_from_this()] { return self->pump(direction::answer); };
    asio::co_spawn(client_.get_executor(), std::move(answers), rethrow);
    co_await pump(direction::request);
}

asio::awaitable<void> connection::pump(direction which) {
    auto& from = which == direction::request ? client_ : server_;
    auto& to = which == direction::request ? server_ : client_;
    std::string pending;
    std::string part(65'536, '\0');
    while (true) {
        auto const [failure, size] = co_await from.async_read_some(asio::buffer(part), quietly);
        if (closed_) co_return;
        auto const unseen = faults_.blackhole || faults_.blackhole_answers || dead_[index(direction::answer)];
        if (failure && which == direction::answer && unseen) {
            // The server has gone; nothing tells the client.
            dead_ = {true, true};
            co_return;
        }
        if (failure == asio::error::eof && !faults_.blackhole && !dead_[index(which)] && --pumping_ > 0) {
            // The other direction may still have something to say.
            boost::system::error_code ignored;
            to.shutdown(tcp::socket::shutdown_send, ignored);
            co_return;
        }
        if (failure) co_return close(false);
        pending.append(part, 0, size);
        if (!co_await forward(which, pending)) co_return;
    }
}

asio::awaitable<bool> connection::forward(direction which, std::string& pending) {
    std::string piece;
    while (take_piece(which, pending, piece)) {
        auto const open = co_await deliver(which, std::move(piece));
        if (!open) co_return false;
    }
    co_return !closed_;
}

bool connection::take_piece(direction which, std::string& pending, std::string& piece) {
    auto length = pending.size();
    if (framing_ == framing::messages && !dead_[index(which)]) {
        if (pending.size() < 4) return false;
        length = message_length(pending);
        if (length == 0) {
            close(true);
            return false;
        }
        if (pending.size() < length) return false;
    }
    if (length == 0) return false;
    piece = pending.substr(0, length);
    pending.erase(0, length);
    return true;
}

void connection::count(direction which, std::size_t bytes, bool whole) {
    counts_.change([&](proxy_counts& now) {
        (which == direction::request ? now.request_bytes : now.answer_bytes) += bytes;
        if (whole) ++(which == direction::request ? now.requests : now.answers);
    });
}

action connection::decide(direction which, std::string_view piece) {
    if (faults_.blackhole) dead_ = {true, true};
    if (faults_.blackhole_answers && which == direction::answer) dead_[index(which)] = true;
    if (dead_[index(which)]) return action::drop;
    if (which == direction::answer && loses_answer_) {
        counts_.change([](proxy_counts& now) { ++now.lost_answers; });
        return action::close;
    }
    auto verdict = faults_.hook ? faults_.hook(piece, which) : action::pass;
    if (which == direction::request && faults_.lose_next_answer) {
        faults_.lose_next_answer = false;
        verdict = action::lose_answer;
    }
    if (which == direction::request && verdict == action::lose_answer) loses_answer_ = true;
    return verdict;
}

asio::awaitable<bool> connection::deliver(direction which, std::string piece) {
    if (auto const wait = faults_.delay[index(which)]; wait.count() > 0) {
        auto& timer = timers_[index(which)];
        timer.expires_after(wait);
        co_await timer.async_wait(quietly);
        if (closed_) co_return false;
    }
    auto const verdict = decide(which, piece);
    if (verdict == action::close) {
        close(true);
        co_return false;
    }
    if (verdict == action::drop) co_return true;
    auto& left = left_[index(which)];
    auto const cut = left <= piece.size();
    if (cut) piece.resize(left);
    if (left != no_limit) left -= piece.size();
    auto& to = which == direction::request ? server_ : client_;
    // A request that is counted is on its way; an answer that the client has is counted.
    if (which == direction::answer) count(which, piece.size(), !cut);
    auto const [failure, size] = co_await asio::async_write(to, asio::buffer(piece), quietly);
    if (which == direction::request) count(which, size, !cut);
    if (closed_) co_return false;
    if (cut && faults_.stalls) {
        dead_[index(which)] = true;
        co_return true;
    }
    if (cut || failure) {
        close(cut);
        co_return false;
    }
    co_return true;
}

}  // namespace minibatch::test::proxy
