#include "support/free_port.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <random>
#include <stdexcept>

namespace minibatch::test {

std::uint16_t free_port() {
    std::random_device source;
    std::uniform_int_distribution<int> any(15'000, 32'000);
    for (int i = 0; i < 200; ++i) {
        auto const port = static_cast<std::uint16_t>(any(source));
        auto const descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (descriptor < 0) break;
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        auto const taken = ::bind(descriptor, reinterpret_cast<sockaddr const*>(&address), sizeof address) != 0;
        ::close(descriptor);
        if (!taken) return port;
    }
    throw std::runtime_error("no free TCP port was found");
}

}  // namespace minibatch::test
