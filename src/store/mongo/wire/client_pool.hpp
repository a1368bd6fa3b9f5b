#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "bson/document.hpp"
#include "store/mongo/wire/answer_origin.hpp"
#include "store/mongo/wire/failure.hpp"
#include "store/mongo/wire/settings.hpp"
#include "store/store.hpp"

namespace minibatch::store::mongo {

enum class command_kind { read, write };

/// The answer to a command, and the failure that it reports, if any. An error in `writeErrors` takes precedence over
/// one of the write concern.
struct answer {
    bson::document body;
    std::optional<failure> problem;
};

/// The server's time in an answer, for reads that must see what the answer told of. Absent on a standalone server.
std::optional<cluster_time> operation_time(bson::document const& answer);

/// The driver's clients. Sends commands with the store's write and read concern and with a time limit. Thread-safe.
class client_pool {
  public:
    /// `on_command` is called with the name of each command that is sent; it may be empty.
    client_pool(settings how, std::function<void(std::string_view)> on_command);
    ~client_pool();
    client_pool(client_pool const&) = delete;
    client_pool& operator=(client_pool const&) = delete;

    /// A client for the time of one call, or of one transaction.
    class loan {
      public:
        explicit loan(client_pool& from);
        ~loan();
        loan(loan const&) = delete;
        loan& operator=(loan const&) = delete;
        /// For the next call of the driver, which ends with the `time_limit` of this thread.
        mongoc_client_t* get() const noexcept;

      private:
        client_pool& from_;
        mongoc_client_t* client_;
    };

    /// A client with a session, for commands that belong together: those of a cursor or of a transaction. (Otherwise
    /// the driver uses a session of its own for each command, and a server continues a cursor only in the session that
    /// opened it.)
    class session {
      public:
        explicit session(client_pool& from) : client_(from) {}

        /// Starts the session if it is not started yet. Absent: success.
        std::optional<failure> begin();
        loan const& client() const noexcept { return client_; }
        /// Precondition of all below: the session is started.
        mongoc_client_session_t* get() const noexcept { return handle_.get(); }
        /// Adds the session to the options of a command.
        void add_to(bson::document& options) const;

      private:
        loan client_;
        session_ptr handle_;
    };

    /// Sends a command once. `options` may name a session; the write concern is added to writes without options.
    answer once(loan const& with, command_kind kind, bson_t const& command, steady_time deadline,
                bson_t const* options = nullptr);
    /// The same, within a part of the time until the deadline (see `one_try`).
    answer once(command_kind kind, bson_t const& command, steady_time deadline);
    /// Inserts a large document once, within a part of the time until the deadline. The document is sent beside the
    /// command and not inside it, which is much less work for the server. The answer holds only `operationTime` and the
    /// failure. `via` becomes the connection that was used.
    answer insert(char const* collection, bson_t const& document, steady_time deadline, route& via);

    /// Sends a command until there is an answer or the deadline is reached; only for commands that may be carried out
    /// twice. Throws `problem` of the failure. `operation` names the purpose in error messages. `in_doubt` becomes true
    /// if one of the tries before the answer may have been carried out. A try takes a part of the time until the
    /// deadline (see `one_try`), at most `longest_try`.
    bson::document run(char const* operation, command_kind kind, bson_t const& command, steady_time deadline,
                       bool* in_doubt = nullptr, milliseconds longest_try = std::chrono::hours(1));

    /// Inserts like `run`. False: a document with such a key is there, perhaps by a try whose answer was lost.
    bool insert_if_absent(char const* operation, bson_t const& command, steady_time deadline);

    /// The error for a failure: errc::unavailable if it may pass, errc::outcome_unknown for a write that may have been
    /// carried out.
    error problem(char const* operation, command_kind kind, failure const& why, bool maybe_done) const;

    settings const& how() const noexcept { return how_; }
    /// Whether the server is the router of a sharded cluster.
    bool sharded() const noexcept { return sharded_; }
    void set_sharded(bool value) noexcept { sharded_ = value; }
    /// `{level: …}`, with the time after which to read, for the field `readConcern` of commands.
    bson::document read_concern(std::optional<cluster_time> after = {}) const;

  private:
    /// Within all of the time until the deadline.
    answer within(command_kind kind, bson_t const& command, steady_time deadline);
    bson::document write_concern(steady_time deadline) const;
    failure failure_of(bson_error_t const& problem, bson_t const& reply) const;
    /// If the driver tries writes twice, it reports one try; the other one may have been carried out.
    void doubt_retried(failure& of, bson_error_t const& problem) const;

    settings how_;
    std::function<void(std::string_view)> on_command_;
    pool_ptr pool_;
    bool sharded_ = false;
};

/// The end of one try of an operation: half of the time that is left until the deadline, at least 1 s and at most 30 s.
/// If a connection is dead without notice, this leaves time for another one.
steady_time one_try(steady_time deadline);

/// Waits before the next try: longer each time, with jitter. False: the deadline or the end of the thread's
/// `time_limit` comes first.
bool pause_before_retry(int tries, steady_time deadline);

}  // namespace minibatch::store::mongo
