#pragma once

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <minibatch/detail/initiate.hpp>
#include <tuple>

namespace minibatch::detail {

/// An operation that a caller waits for. Keeps the caller's executor busy until it completes there, whichever thread it
/// is completed from. Move-only; completes once.
template <class... Results>
class operation {
  public:
    operation() = default;
    explicit operation(completion<Results...> from)
        : handler_(std::move(from.handler)),
          executor_(asio::prefer(std::move(from.executor), asio::execution::outstanding_work.tracked)) {}

    explicit operator bool() const noexcept { return static_cast<bool>(handler_); }

    /// Posts the outcome to the caller's executor. `problem` comes with default-constructed results.
    void complete(std::optional<error> problem, Results... results) {
        // The work lasts until `post` has returned: the handler may be all that the caller's context was running for,
        // and a context must not end while it is being posted to.
        auto const busy = std::exchange(executor_, {});
        auto const executor = asio::prefer(busy, asio::execution::outstanding_work.untracked);
        asio::post(executor, [handler = std::move(handler_), problem = std::move(problem),
                              results = std::tuple<Results...>(std::move(results)...)]() mutable {
            std::apply([&](auto&... values) { std::move(handler)(std::move(problem), std::move(values)...); }, results);
        });
    }
    void fail(error problem) { complete(std::optional<error>(std::move(problem)), Results{}...); }
    void cancelled() { fail(error(error_code(asio::error::operation_aborted))); }

    /// Where a cancellation of this operation is announced; not connected if the caller does not use it.
    auto slot() const { return asio::get_associated_cancellation_slot(handler_); }

  private:
    callback<Results...> handler_;
    asio::any_io_executor executor_;
};

}  // namespace minibatch::detail
