#pragma once

#include "store/mongo/wire/client_pool.hpp"

namespace minibatch::store::mongo {

/// Thrown when a try of a transaction has failed, and another one may succeed.
struct transaction_conflict {
    failure why;
};

/// One try of a transaction. It is aborted when this object is destroyed, unless it was committed.
///
/// All tries of one commit share a session. If a transaction could not be ended since the answers were lost, the server
/// ends it when the next one begins in the same session; in another session it would block that one until the server
/// gives it up, after a minute.
class transaction {
  public:
    transaction(client_pool& clients, client_pool::session& in, steady_time deadline);
    ~transaction();
    transaction(transaction const&) = delete;
    transaction& operator=(transaction const&) = delete;

    /// `contested`: others may insert the same key meanwhile, so that another try may find another one. Throws
    /// `transaction_conflict`, or the `error` of what was refused.
    bson::document run(command_kind kind, bson_t const& command, bool contested = false);
    /// Sent again while it is not known whether it was done; in the end that is errc::outcome_unknown.
    void commit();

  private:
    [[noreturn]] void check(failure why, bool contested = false) const;
    bool reachable() const;

    client_pool& clients_;
    client_pool::session& in_;
    bson::document options_;  // name the session in commands
    steady_time deadline_;
    bool committed_ = false;
};

}  // namespace minibatch::store::mongo
