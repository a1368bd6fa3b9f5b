#include "store/mongo/wire/name_resolution.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <thread>

#include "store/time_limit.hpp"

namespace minibatch::store::mongo {
namespace {

resolved look_up(std::string const& host, std::string const& port, int family, int flags) {
    addrinfo hints{};
    hints.ai_family = family;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = flags;
    addrinfo* found = nullptr;
    int const failed = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
    resolved out;
    out.failed = failed;
    if (failed == 0) out.addresses.reset(found);
    return out;
}

struct question {
    std::mutex mutex;
    std::condition_variable answered;
    std::optional<resolved> answer;
};

}  // namespace

resolved resolve(char const* host, std::uint16_t port, int family, steady_time until) {
    std::string const name = host;
    auto const number = std::to_string(port);
    // A numeric address needs no resolution and no thread.
    auto known = look_up(name, number, family, AI_NUMERICHOST);
    if (known.failed == 0) return known;
    auto const shared = std::make_shared<question>();
    auto ask = [shared, name, number, family] {
        auto found = look_up(name, number, family, 0);
        std::lock_guard const lock(shared->mutex);
        shared->answer = std::move(found);
        shared->answered.notify_all();
    };
    try {
        std::thread(std::move(ask)).detach();
    } catch (std::system_error const&) {  // no more threads
        return {nullptr, EAI_AGAIN};
    }
    std::unique_lock lock(shared->mutex);
    while (!shared->answer) {
        auto const end = std::min(until, time_limit::end());
        auto const now = std::chrono::steady_clock::now();
        if (now >= end) return {nullptr, EAI_AGAIN};
        shared->answered.wait_until(lock, std::min(end, now + time_limit::slice));
    }
    return std::move(*shared->answer);
}

}  // namespace minibatch::store::mongo
