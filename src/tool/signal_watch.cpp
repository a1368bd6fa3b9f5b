#include "tool/signal_watch.hpp"

#include <boost/asio/post.hpp>
#include <csignal>
#include <cstdlib>

#include "tool/exit_code.hpp"

namespace minibatch::tool {
namespace {

bool is_ignored(int number) noexcept {
    struct sigaction present {};
    return ::sigaction(number, nullptr, &present) == 0 && present.sa_handler == SIG_IGN;
}

}  // namespace

signal_watch::signal_watch(boost::asio::io_context& main, std::function<void(int)> first)
    : main_(main), first_(std::move(first)), signals_(own_, SIGINT, SIGTERM) {
    if (!is_ignored(SIGHUP)) signals_.add(SIGHUP);
    listen();
    thread_ = std::thread([this] { own_.run(); });
}

signal_watch::~signal_watch() {
    own_.stop();
    thread_.join();
}

void signal_watch::listen() {
    signals_.async_wait([this](boost::system::error_code failed, int number) {
        if (failed) return;
        if (heard_ != 0) std::_Exit(exit_by_signal(heard_));
        heard_ = number;
        boost::asio::post(main_, [first = first_, number] { first(number); });
        listen();
    });
}

}  // namespace minibatch::tool
