#pragma once

#include <netdb.h>

#include <cstdint>
#include <memory>

#include "store/types.hpp"

namespace minibatch::store::mongo {

struct addresses_deleter {
    void operator()(addrinfo* all) const noexcept { ::freeaddrinfo(all); }
};

/// The addresses of a host, or why they are not known.
struct resolved {
    std::unique_ptr<addrinfo, addresses_deleter> addresses;
    int failed = 0;  // one of EAI_…, 0: none
};

/// Resolves a host name until the given time or the end of the thread's `time_limit` (then EAI_AGAIN). The function of
/// the system waits as long as its configuration says, so it runs on a detached thread.
resolved resolve(char const* host, std::uint16_t port, int family, steady_time until);

}  // namespace minibatch::store::mongo
