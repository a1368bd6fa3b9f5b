#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace minibatch::test {

/// What a server answers to certain commands instead of what it would (MongoDB's fail point `failCommand`; a real
/// server needs `--setParameter enableTestCommands=1`).
///
/// Tried on the server that tools/test installs (secantusdb 0.6.0b17), all of it:
/// - Works for each command tried: insert, update, delete, find, getMore, aggregate, findAndModify, count, create,
/// drop,
///   createIndexes, listCollections, hello, ping, commitTransaction, abortTransaction.
/// - An error code, a closed connection: the command is not carried out. A write concern error: it is carried out.
/// - Error labels go with the code as given; none are added by the server. With commitTransaction, a write concern
/// error
///   leaves the transaction committed; a code leaves it uncommitted.
/// - `block` delays, alone or before the error. `app_name` meets only connections with that appName.
/// - `times`, `skip` (never ends by itself), neither: until it is turned off.
/// - It ignores what it does not know: `namespace` has no effect, `activationProbability` is always. An empty list of
///   commands would mean all of them.
/// - One fail point a server: another replaces it. It does not survive a restart.
/// After the codes that mean "no primary any more" (91, 189, 10107, 11600, 11602, 13435, 13436) and after a closed
/// connection, drivers take the server for unknown, and look again at their next heartbeat at the earliest (0.5 s).
struct fail_command {
    /// Names of commands: "insert". At least one.
    std::vector<std::string> commands;
    std::optional<int> error_code{};
    /// With `error_code`: "RetryableWriteError", "TransientTransactionError" …
    std::vector<std::string> error_labels{};
    bool close_connection = false;
    /// The code of a write concern error (64: time-out; 91: shutdown).
    std::optional<int> write_concern_error{};
    std::chrono::milliseconds block{0};
    /// Only connections that give this name (`appName` in the URL); empty: all.
    std::string app_name{};
    /// So many commands, then no more; 0: no limit.
    int times = 0;
    /// So many commands pass first, all later ones fail. Not together with `times`: no server can.
    int skip = 0;
};

/// A fail point that is turned off at the end. Not for the shared server.
class fail_point {
  public:
    /// `url` of the server, as somebody who may do everything. Throws std::invalid_argument when no command is named or
    /// nothing is to happen, std::runtime_error when the server refuses it.
    fail_point(std::string url, fail_command const& what);
    /// Says so on standard error when it cannot be turned off. A server that has gone has no fail points.
    ~fail_point();
    fail_point(fail_point const&) = delete;
    fail_point& operator=(fail_point const&) = delete;

    /// Before the end. Throws std::runtime_error.
    void off();

  private:
    std::string url_;
    bool on_ = true;
};

/// The command that turns it on, as JSON. Throws std::invalid_argument as above.
std::string fail_point_command(fail_command const& what);

}  // namespace minibatch::test
