#include "support/tcp_proxy.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <future>
#include <thread>
#include <vector>

#include "support/free_port.hpp"
#include "support/tcp_proxy_connection.hpp"

namespace minibatch::test {

using proxy::asio::ip::tcp;
namespace asio = boost::asio;

class tcp_proxy::implementation {
  public:
    implementation(std::uint16_t target, framing how)
        : target_(asio::ip::address_v4::loopback(), target), framing_(how) {
        for (int tries = 0; !acceptor_.is_open(); ++tries) {
            port_ = free_port();
            try {
                listen();
            } catch (boost::system::system_error const&) {
                // Somebody was faster.
                if (tries == 5) throw;
            }
        }
        thread_ = std::thread([this] { context_.run(); });
    }
    ~implementation() {
        on_thread([this] {
            close_acceptor();
            for (auto const& each : open()) each->close(false);
            work_.reset();
        });
        thread_.join();
    }

    /// Done when it returns; rethrows.
    void on_thread(std::function<void()> work) {
        std::packaged_task<void()> task(std::move(work));
        auto done = task.get_future();
        asio::post(context_, std::ref(task));
        done.get();
    }
    std::vector<std::shared_ptr<proxy::connection>> open() {
        std::vector<std::shared_ptr<proxy::connection>> all;
        std::erase_if(connections_, [&](auto const& each) {
            auto one = each.lock();
            if (one) all.push_back(std::move(one));
            return each.expired();
        });
        return all;
    }
    void listen() {
        if (acceptor_.is_open()) return;
        tcp::acceptor fresh(context_, tcp::endpoint(asio::ip::address_v4::loopback(), port_));
        acceptor_ = std::move(fresh);
        ++listening_;
        accept();
    }
    void set_limit(direction which, std::size_t bytes, bool stalls) {
        faults.limit[which == direction::request ? 0 : 1] = bytes;
        faults.stalls = stalls;
        for (auto const& each : open()) each->set_limit(which, bytes);
    }
    void close_acceptor() {
        boost::system::error_code ignored;
        acceptor_.close(ignored);
    }

    proxy::faults faults;
    proxy::counters counts;
    std::uint16_t port() const noexcept { return port_; }

  private:
    void accept() {
        acceptor_.async_accept([this, its = listening_](boost::system::error_code failure, tcp::socket client) {
            // It may have been taken just before nobody was to listen any more.
            if (failure || !acceptor_.is_open() || its != listening_) return;
            auto const fresh = std::make_shared<proxy::connection>(std::move(client), faults, counts, framing_);
            open();
            connections_.push_back(fresh);
            fresh->start(target_);
            accept();
        });
    }

    asio::io_context context_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_ = asio::make_work_guard(context_);
    tcp::acceptor acceptor_{context_};
    tcp::endpoint target_;
    framing framing_;
    std::uint16_t port_ = 0;
    int listening_ = 0;
    std::vector<std::weak_ptr<proxy::connection>> connections_;
    std::thread thread_;
};

tcp_proxy::tcp_proxy(std::uint16_t target, framing how)
    : implementation_(std::make_unique<implementation>(target, how)) {}

tcp_proxy::~tcp_proxy() = default;

std::uint16_t tcp_proxy::port() const noexcept { return implementation_->port(); }

void tcp_proxy::refuse() {
    implementation_->on_thread([this] { implementation_->close_acceptor(); });
}

void tcp_proxy::close_connections() {
    implementation_->on_thread([this] {
        for (auto const& each : implementation_->open()) each->close(true);
    });
}

void tcp_proxy::close_after(direction which, std::size_t bytes) {
    implementation_->on_thread([=, this] { implementation_->set_limit(which, bytes, false); });
}

void tcp_proxy::stall_after(direction which, std::size_t bytes) {
    implementation_->on_thread([=, this] { implementation_->set_limit(which, bytes, true); });
}

void tcp_proxy::delay(direction which, std::chrono::milliseconds duration) {
    implementation_->on_thread(
        [=, this] { implementation_->faults.delay[which == direction::request ? 0 : 1] = duration; });
}

void tcp_proxy::blackhole() {
    implementation_->on_thread([this] { implementation_->faults.blackhole = true; });
}

void tcp_proxy::blackhole_answers() {
    implementation_->on_thread([this] { implementation_->faults.blackhole_answers = true; });
}

void tcp_proxy::lose_next_answer() {
    implementation_->on_thread([this] { implementation_->faults.lose_next_answer = true; });
}

void tcp_proxy::on_message(std::function<action(std::string_view, direction)> hook) {
    implementation_->on_thread([this, &hook] { implementation_->faults.hook = std::move(hook); });
}

void tcp_proxy::restore() {
    implementation_->on_thread([this] {
        implementation_->faults = {};
        for (auto const& each : implementation_->open())
            for (auto const which : {direction::request, direction::answer}) each->set_limit(which, proxy::no_limit);
        implementation_->listen();
    });
}

proxy_counts tcp_proxy::counts() const { return implementation_->counts.read(); }

bool tcp_proxy::wait_for(std::function<bool(proxy_counts const&)> const& wanted,
                         std::chrono::milliseconds longest) const {
    return implementation_->counts.wait_for(wanted, longest);
}

std::function<action(std::string_view, direction)> on_nth(std::string text, int n, action what, direction which) {
    return [text = std::move(text), n, what, which, seen = 0](std::string_view message, direction its) mutable {
        if (its != which || message.find(text) == std::string_view::npos) return action::pass;
        return ++seen == n ? what : action::pass;
    };
}

}  // namespace minibatch::test
