#pragma once

#include <memory>
#include <minibatch/detail/initiate.hpp>
#include <minibatch/options.hpp>
#include <minibatch/stream.hpp>
#include <string>
#include <vector>

namespace minibatch {

namespace detail {
class database_core;
class streaming_loop;
}  // namespace detail

/// A connection to a database, with the threads that run its blocking calls. A cheap handle: copies share the
/// connection, and streams, producers and consumers keep it open. Destroying the last of them closes it: pending
/// appends and commits are written and leases are released first, for up to 10 seconds. What is unfinished then is
/// abandoned.
///
/// Thread safety: all members may be called from any thread at the same time. A child of `fork` cannot use inherited
/// handles: every call fails with `errc::forked`, operations that began before the fork complete in the parent only,
/// and destroying the handles has no effect. The child may connect again.
class database {
  public:
    database() = default;
    explicit database(std::shared_ptr<detail::database_core> core) : core_(std::move(core)) {}

    /// Returns the names of all streams, sorted. Completes with `void(error_code, std::vector<std::string>)`.
    ///
    /// Cancellation: all types, with `asio::error::operation_aborted`.
    template <class Token = boost::asio::use_awaitable_t<>>
    [[nodiscard]] auto streams(Token token = {}) const {
        using names = std::vector<std::string>;
        return detail::initiate<names>(
            token, [core = core_](detail::completion<names> done) { start_streams(core, std::move(done)); });
    }

    /// Opens an existing stream. Completes with `void(error_code, stream)`.
    ///
    /// Cancellation: all types, with `asio::error::operation_aborted`.
    /// Errors: `stream_not_found`, `invalid_name`, and those of the database.
    template <class Token = boost::asio::use_awaitable_t<>>
    [[nodiscard]] auto find_stream(std::string name, Token token = {}) const {
        return detail::initiate<stream>(
            token, [core = core_, name = std::move(name)](detail::completion<stream> done) mutable {
                start_find(core, std::move(name), std::move(done));
            });
    }

    /// Deletes a stream with its messages and groups. Completes with `void(error_code)`. Handles to the stream fail
    /// with `errc::stream_deleted` from then on.
    ///
    /// Cancellation: terminal. The code is `asio::error::operation_aborted` if nothing was deleted, and
    /// `errc::outcome_unknown` once the database executes the call.
    /// Errors: `stream_not_found`, `invalid_name`, and those of the database.
    template <class Token = boost::asio::use_awaitable_t<>>
    [[nodiscard]] auto delete_stream(std::string name, Token token = {}) const {
        return detail::initiate<>(token, [core = core_, name = std::move(name)](detail::completion<> done) mutable {
            start_delete(core, std::move(name), std::move(done));
        });
    }

    /// Deletes a consumer group. An unused group prevents the removal of messages that it has not committed. Completes
    /// with `void(error_code)`.
    ///
    /// A consumer that ended without releasing its lease is detected by observing the lease for its length (10 s by
    /// default), as far as the time-out permits.
    /// Cancellation: terminal, with `errc::outcome_unknown`.
    /// Errors: `stream_not_found`, `group_not_found`, `group_in_use` while a consumer holds its lease.
    template <class Token = boost::asio::use_awaitable_t<>>
    [[nodiscard]] auto delete_group(std::string stream_name, std::string group, Token token = {}) const {
        return detail::initiate<>(token, [core = core_, stream_name = std::move(stream_name),
                                          group = std::move(group)](detail::completion<> done) mutable {
            start_delete_group(core, std::move(stream_name), std::move(group), std::move(done));
        });
    }

  private:
    friend class stream;
    friend class detail::streaming_loop;
    static void start_streams(std::shared_ptr<detail::database_core> const& core,
                              detail::completion<std::vector<std::string>> done);
    static void start_find(std::shared_ptr<detail::database_core> const& core, std::string name,
                           detail::completion<stream> done);
    static void start_delete(std::shared_ptr<detail::database_core> const& core, std::string name,
                             detail::completion<> done);
    static void start_delete_group(std::shared_ptr<detail::database_core> const& core, std::string stream_name,
                                   std::string group, detail::completion<> done);

    std::shared_ptr<detail::database_core> core_;
};

namespace detail {
void start_connect(std::string url, connect_options options, completion<database> done);
}

/// Opens a database. Completes with `void(error_code, database)`.
///
/// The URL is `sqlite:PATH[?synchronous=full|normal]`, `mongodb://…/DATABASE[?OPTIONS]` or `mongodb+srv://…` (MongoDB
/// 4.2 or later; docs/mongodb.md lists the options and their defaults), `memory:` (private to the handle) or
/// `memory:NAME` (shared within the process). An empty URL means the environment variable MINIBATCH_URL,
/// MINIBATCH_MONGO_URL or MONGO_URL, whichever is set first, else `sqlite:minibatch.db`.
///
/// Cancellation: not supported. `connect_options::connect_timeout` limits the operation.
/// Errors: `invalid_url` (an unknown option, no database name, …); `unsupported` (a build without MongoDB, a server
/// that is too old); `unavailable`; `access_denied` (wrong credentials, or no right to read); for files also
/// `read_only`, `not_a_database`, `corrupt`, and `unsupported` (a file with several names); `schema_too_new`. The
/// diagnostics do not contain credentials.
template <class Token = boost::asio::use_awaitable_t<>>
[[nodiscard]] auto connect(std::string url = {}, connect_options options = {}, Token token = {}) {
    return detail::initiate<database>(
        token, [url = std::move(url), options = std::move(options)](detail::completion<database> done) mutable {
            detail::start_connect(std::move(url), std::move(options), std::move(done));
        });
}

}  // namespace minibatch
