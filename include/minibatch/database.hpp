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

/// A connection to a database, with the threads that its blocking calls run on. A cheap handle: copies share it, and
/// streams, producers and consumers keep it open. Closing happens when the last of them is destroyed: what was handed
/// over is written first, for up to 10 seconds, and leases are released. What is under way then is given up.
///
/// Thread safety: all members may be called from any thread at the same time. After `fork` a child cannot use a handle
/// it inherited, nor what was made from it: calls fail with `errc::forked`, operations begun before the fork end in the
/// parent alone, and destroying the handles there does nothing. The child may open the database anew.
class database {
  public:
    database() = default;
    explicit database(std::shared_ptr<detail::database_core> core) : core_(std::move(core)) {}

    /// Names of all streams, sorted. Completes with `void(error_code, std::vector<std::string>)`.
    template <class Token = boost::asio::use_awaitable_t<>>
    [[nodiscard]] auto streams(Token token = {}) const {
        using names = std::vector<std::string>;
        return detail::initiate<names>(
            token, [core = core_](detail::completion<names> done) { start_streams(core, std::move(done)); });
    }

    /// Opens a stream that exists; else `errc::stream_not_found`. Completes with `void(error_code, stream)`.
    template <class Token = boost::asio::use_awaitable_t<>>
    [[nodiscard]] auto find_stream(std::string name, Token token = {}) const {
        return detail::initiate<stream>(
            token, [core = core_, name = std::move(name)](detail::completion<stream> done) mutable {
                start_find(core, std::move(name), std::move(done));
            });
    }

    /// Deletes a stream with its messages and groups; `errc::stream_not_found` if there is none. Handles to it fail
    /// with `errc::stream_deleted` from then on. Completes with `void(error_code)`.
    template <class Token = boost::asio::use_awaitable_t<>>
    [[nodiscard]] auto delete_stream(std::string name, Token token = {}) const {
        return detail::initiate<>(token, [core = core_, name = std::move(name)](detail::completion<> done) mutable {
            start_delete(core, std::move(name), std::move(done));
        });
    }

    /// Deletes a consumer group, whose progress would otherwise hold up trimming. Completes with `void(error_code)`.
    /// A consumer that has ended without releasing its lease is found out by watching the lease for its length (10 s by
    /// default), if the time-out allows. Errors: `stream_not_found`, `group_not_found`, `group_in_use` while a consumer
    /// holds its lease.
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

/// Opens a database: `sqlite:PATH[?synchronous=full|normal]`, `mongodb://…/DATABASE[?OPTIONS]` or `mongodb+srv://…`
/// (MongoDB 4.2 or later; docs/mongodb.md tells the options and their defaults), `memory:` (private to the handle) or
/// `memory:NAME` (shared in the process). An empty URL stands for the environment's MINIBATCH_URL, MINIBATCH_MONGO_URL
/// or MONGO_URL, else for `sqlite:minibatch.db`. Completes with `void(error_code, database)`.
///
/// Cancellation: not supported; bounded by `connect_options::connect_timeout`.
/// Errors: `invalid_url` (an option that is not known, no database named, …); `unsupported` (a build without MongoDB,
/// a server that is too old); `unavailable`; `access_denied` (wrong credentials, or no right to read); of files also
/// `read_only`, `not_a_database` and `corrupt`, and `unsupported` (a file with several names); `schema_too_new`.
/// Credentials do not appear in the diagnostics.
template <class Token = boost::asio::use_awaitable_t<>>
[[nodiscard]] auto connect(std::string url = {}, connect_options options = {}, Token token = {}) {
    return detail::initiate<database>(
        token, [url = std::move(url), options = std::move(options)](detail::completion<database> done) mutable {
            detail::start_connect(std::move(url), std::move(options), std::move(done));
        });
}

}  // namespace minibatch
