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

/// What came back: the answer's document, and what was wrong with it, if anything. An error among `writeErrors` comes
/// before one of the write concern.
struct answer {
    bson::document body;
    std::optional<failure> problem;
};

/// The server's time in an answer, for reads that must see what the answer told of. Absent on a standalone server.
std::optional<cluster_time> operation_time(bson::document const& answer);

/// The driver's clients, and how commands are sent by them: with the store's write and read concern, within a time.
/// Thread-safe.
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

    /// A client, and a session on it: for commands that belong together, as those of a cursor, or of transactions. (The
    /// driver gives each command a session by itself, and a server refuses to continue a cursor in another one than it
    /// was opened in.)
    class session {
      public:
        explicit session(client_pool& from) : client_(from) {}

        /// Begins it, unless it has begun. Absent: it is there.
        std::optional<failure> begin();
        loan const& client() const noexcept { return client_; }
        /// Preconditions of all below: it has begun.
        mongoc_client_session_t* get() const noexcept { return handle_.get(); }
        /// Names it in the options of a command.
        void add_to(bson::document& options) const;

      private:
        loan client_;
        session_ptr handle_;
    };

    /// Sends a command once. `options` may name a session; the write concern is added to writes without options.
    answer once(loan const& with, command_kind kind, bson_t const& command, steady_time deadline,
                bson_t const* options = nullptr);
    /// The same, in a part of the time until the deadline: see `one_try`.
    answer once(command_kind kind, bson_t const& command, steady_time deadline);
    /// Inserts a large document once. It travels beside the command and not inside of it, which servers take in with
    /// much less work. It takes a part of the time until the deadline, too. The answer holds `operationTime` and what
    /// went wrong, alone. `via` becomes the connection that was used.
    answer insert(char const* collection, bson_t const& document, steady_time deadline, route& via);

    /// Sends a command again and again until there is an answer or the time is over; only for commands that may be
    /// carried out twice. Throws what `problem` makes of the failure. `operation` says for people what it was for.
    /// `in_doubt` becomes true when one of the tries before the answer may have been carried out. A try takes a part of
    /// the time until the deadline (see `one_try`), and not longer than `longest_try`.
    bson::document run(char const* operation, command_kind kind, bson_t const& command, steady_time deadline,
                       bool* in_doubt = nullptr, milliseconds longest_try = std::chrono::hours(1));

    /// Inserts like `run`. False: a document with such a key is there, perhaps by a try whose answer was lost.
    bool insert_if_absent(char const* operation, bson_t const& command, steady_time deadline);

    /// The error that tells of a failure: errc::unavailable for what may pass, errc::outcome_unknown for a write that
    /// may have been done.
    error problem(char const* operation, command_kind kind, failure const& why, bool maybe_done) const;

    settings const& how() const noexcept { return how_; }
    /// Whether there are shards; as the greeting of the server said.
    bool sharded() const noexcept { return sharded_; }
    void set_sharded(bool value) noexcept { sharded_ = value; }
    /// `{level: …}`, with the time after which to read, for the field `readConcern` of commands.
    bson::document read_concern(std::optional<cluster_time> after = {}) const;

  private:
    /// In all of the time.
    answer within(command_kind kind, bson_t const& command, steady_time deadline);
    bson::document write_concern(steady_time deadline) const;
    failure failure_of(bson_error_t const& problem, bson_t const& reply) const;
    /// When the driver tries writes twice, it tells of one try; the other one may have been carried out.
    void doubt_retried(failure& of, bson_error_t const& problem) const;

    settings how_;
    std::function<void(std::string_view)> on_command_;
    pool_ptr pool_;
    bool sharded_ = false;
};

/// How long one try may take of an operation that has time until the deadline: half of what is left, at least a second.
/// A connection on which nothing arrives any more, and nobody says so, then leaves time for another one.
steady_time one_try(steady_time deadline);

/// Waits before the next try: longer with each, and never the same twice. False: the deadline comes first, or the end
/// of the thread's `time_limit`.
bool pause_before_retry(int tries, steady_time deadline);

}  // namespace minibatch::store::mongo
