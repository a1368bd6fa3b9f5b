#pragma once

#include <poll.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "support/free_port.hpp"

namespace minibatch::test {

/// Sends back what it gets, on a thread a connection; counts bytes. It ends when its clients have gone.
class echo_server {
  public:
    using tcp = boost::asio::ip::tcp;

    echo_server() : acceptor_(context_, {boost::asio::ip::address_v4::loopback(), 0}), thread_([this] { serve(); }) {}
    ~echo_server() {
        ended_ = true;
        boost::system::error_code ignored;
        tcp::socket last(context_);
        last.connect(acceptor_.local_endpoint(), ignored);
        thread_.join();
    }
    std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
    std::size_t bytes() const { return bytes_; }
    /// Returns what it has read, once that is so much or 5 s have passed.
    std::size_t wait_for_bytes(std::size_t count) {
        std::unique_lock lock(mutex_);
        read_.wait_for(lock, std::chrono::seconds(5), [&] { return bytes_ >= count; });
        return bytes_;
    }
    /// Ends all connections, as a server that goes.
    void hang_up() {
        std::lock_guard const lock(mutex_);
        for (auto const each : descriptors_) ::shutdown(each, SHUT_RDWR);
    }

  private:
    void serve() {
        std::vector<std::jthread> threads;
        while (true) {
            auto socket = acceptor_.accept();
            if (ended_) return;
            {
                std::lock_guard const lock(mutex_);
                descriptors_.push_back(socket.native_handle());
            }
            threads.emplace_back([this, socket = std::move(socket)]() mutable {
                char part[4096];
                boost::system::error_code failure;
                while (true) {
                    auto const size = socket.read_some(boost::asio::buffer(part), failure);
                    if (failure) break;
                    {
                        std::lock_guard const lock(mutex_);
                        bytes_ += size;
                    }
                    read_.notify_all();
                    boost::asio::write(socket, boost::asio::buffer(part, size), failure);
                }
                std::lock_guard const lock(mutex_);
                std::erase(descriptors_, socket.native_handle());
            });
        }
    }

    boost::asio::io_context context_;
    tcp::acceptor acceptor_;
    std::atomic<bool> ended_ = false;
    std::atomic<std::size_t> bytes_ = 0;
    std::mutex mutex_;
    std::condition_variable read_;
    std::vector<int> descriptors_;
    std::thread thread_;
};

/// A client with blocking calls that take 20 s at most.
class echo_client {
  public:
    using tcp = boost::asio::ip::tcp;

    /// Throws boost::system::system_error when it is refused.
    explicit echo_client(std::uint16_t port) : socket_(context_) {
        socket_.connect({boost::asio::ip::address_v4::loopback(), port});
    }
    void send(std::string const& text) { boost::asio::write(socket_, boost::asio::buffer(text)); }
    /// Bytes until there are so many, or the connection is closed.
    std::string receive(std::size_t size) {
        std::string text;
        char part[4096];
        while (text.size() < size && ready(20'000)) {
            boost::system::error_code failure;
            auto const got =
                socket_.read_some(boost::asio::buffer(part, std::min(sizeof part, size - text.size())), failure);
            if (failure) break;
            text.append(part, got);
        }
        return text;
    }
    std::string exchange(std::string const& text) {
        send(text);
        return receive(text.size());
    }
    /// The other side closes it, without another byte.
    bool closed() {
        char byte = 0;
        boost::system::error_code failure;
        if (!ready(20'000)) return false;
        socket_.read_some(boost::asio::buffer(&byte, 1), failure);
        return failure == boost::asio::error::eof || failure == boost::asio::error::connection_reset;
    }
    /// Neither bytes nor the end of the connection arrive for a while.
    bool silent() { return !ready(100); }

  private:
    bool ready(int limit) {  // in milliseconds
        pollfd watched{socket_.native_handle(), POLLIN, 0};
        return ::poll(&watched, 1, limit) == 1;
    }

    boost::asio::io_context context_;
    tcp::socket socket_;
};

}  // namespace minibatch::test
