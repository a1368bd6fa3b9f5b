#pragma once

#include <netdb.h>

#include <cstdint>
#include <memory>

#include "store/types.hpp"

namespace minibatch::store::mongo {

struct addresses_deleter {
    void operator()(addrinfo* all) const noexcept { ::freeaddrinfo(all); }
};

/// What a name stands for; or why that is not known.
struct resolved {
    std::unique_ptr<addrinfo, addresses_deleter> addresses;
    int failed = 0;  // one of EAI_…, 0: none
};

/// Looks a host up, until the given time or the end of the thread's `time_limit` (then EAI_AGAIN): the system's own
/// function waits as long as its configuration says. That one goes on in a thread of its own, which nobody waits for.
resolved resolve(char const* host, std::uint16_t port, int family, steady_time until);

}  // namespace minibatch::store::mongo
