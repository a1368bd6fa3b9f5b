#pragma once

#include <cstdint>

namespace minibatch::test {

/// A TCP port on which nobody listens at the moment, for a listener that will leave it and come back to it. It is below
/// those that the system gives to connections (32768 and above): while the listener is away, no connection may get the
/// port for its own end, not even that of a client which tries to reach it. Any thread. Throws std::runtime_error.
std::uint16_t free_port();

}  // namespace minibatch::test
