#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <string>

#include "runtime/scheduler.hpp"

namespace minibatch::runtime {

/// Deletes a group. A lease may be left of a consumer that has ended without releasing it: whether its holder lives is
/// watched for up to the lease's length before the group is said to be in use. False: there is no such group. Throws
/// `error` with `errc::group_in_use`, and what the store reports. Runs on the loop; `env` must stay.
boost::asio::awaitable<bool> remove_group(environment const& env, std::int64_t incarnation, std::string group);

}  // namespace minibatch::runtime
