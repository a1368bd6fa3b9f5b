#pragma once

#include <boost/asio/post.hpp>
#include <memory>
#include <minibatch/options.hpp>
#include <optional>
#include <string>

#include "runtime/engine.hpp"
#include "runtime/operation.hpp"
#include "store/fork_guard.hpp"

namespace minibatch::detail {

namespace asio = boost::asio;

class handle_threads;

/// What a database handle owns: the engine, and the threads that it runs on. Destroyed with the last handle, which
/// waits (bounded) until what was handed over has been written. In a child after fork() none of it is touched: the
/// threads are not there, and one of them may have held any lock.
class database_core {
  public:
    /// Blocks while the database is opened.
    static std::shared_ptr<database_core> open(std::string const& url, connect_options const& options);
    /// Runs on what is given and owns no threads: for tests, which run everything themselves. Nothing is waited for at
    /// the end.
    static std::shared_ptr<database_core> on(runtime::environment env, std::size_t max_pending_bytes);
    ~database_core();
    database_core(database_core const&) = delete;
    database_core& operator=(database_core const&) = delete;

    /// Every operation on a handle begins here. In a child after fork() it fails at once, and nothing is returned.
    template <class... Results>
    std::optional<operation<Results...>> begin(completion<Results...> done) const {
        operation<Results...> op(std::move(done));
        if (!guard_.forked()) return op;
        op.fail(store::fork_guard::problem());
        return std::nullopt;
    }
    /// For what is no operation: destructors, cancellations, plain calls.
    store::fork_guard const& guard() const noexcept { return guard_; }

    std::shared_ptr<runtime::engine> const& engine() const noexcept { return engine_; }
    runtime::environment const& env() const noexcept { return engine_->env; }

  private:
    database_core();
    store::fork_guard guard_;
    std::unique_ptr<handle_threads> threads_;
    std::shared_ptr<runtime::engine> engine_;  // ends before its threads
};

}  // namespace minibatch::detail
