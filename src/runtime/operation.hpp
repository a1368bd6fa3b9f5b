#pragma once

#include <atomic>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <memory>
#include <minibatch/detail/initiate.hpp>
#include <tuple>

namespace minibatch::detail {

/// An operation that a caller waits for. Keeps the caller's executor busy until it completes there, whichever thread it
/// is completed from. Move-only; completes once.
///
/// The handler, its executor and its cancellation slot belong to the operation. They are set up before the operation is
/// handed over to what completes it: from then on it may complete on another thread at any moment.
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
        asio::post(executor, [handler = std::move(handler_), clear = slot_assigned_, problem = std::move(problem),
                              results = std::tuple<Results...>(std::move(results)...)]() mutable {
            // Cancellations are emitted on the caller's executor. The slot is cleared there, too, before the handler
            // runs, since the handler may assign it anew or destroy it.
            if (clear) asio::get_associated_cancellation_slot(handler).clear();
            std::apply([&](auto&... values) { std::move(handler)(std::move(problem), std::move(values)...); }, results);
        });
    }
    void fail(error problem) { complete(std::optional<error>(std::move(problem)), Results{}...); }
    void cancelled() { fail(error(error_code(asio::error::operation_aborted))); }

    /// Whether the caller uses cancellation for this operation.
    bool cancellable() const { return asio::get_associated_cancellation_slot(handler_).is_connected(); }

    /// Has `call(cancellation_type)` called at a cancellation. Before the operation is handed over. `call` may run when
    /// the operation is complete already, and must not keep it alive.
    template <class Call>
    void on_cancel(Call call) {
        auto slot = asio::get_associated_cancellation_slot(handler_);
        if (!slot.is_connected()) return;
        slot.assign(std::move(call));
        slot_assigned_ = true;
    }

  private:
    callback<Results...> handler_;
    asio::any_io_executor executor_;
    bool slot_assigned_ = false;
};

/// An operation that is completed by its work or by its cancellation, by whichever claims it first. Shared by both.
template <class... Results>
class shared_operation {
  public:
    explicit shared_operation(operation<Results...> op) : done(std::move(op)) {}

    /// False: it has been claimed before.
    bool claim() noexcept { return !claimed_.exchange(true); }
    bool claimed() const noexcept { return claimed_; }

    operation<Results...> done;

  private:
    std::atomic<bool> claimed_ = false;
};

/// Whether this kind of cancellation permits an operation to end with `outcome_unknown`. The others end it only where
/// it has had no effect.
inline bool may_leave_open(asio::cancellation_type type) noexcept {
    return (type & asio::cancellation_type::terminal) != asio::cancellation_type::none;
}

/// Shares an operation between its work and its cancellation, before it is handed over. At a cancellation
/// `cancel(operation, cancellation_type)` is called, on the caller's executor, unless nobody holds it any more.
template <class... Results, class Cancel>
std::shared_ptr<shared_operation<Results...>> share(operation<Results...> op, Cancel cancel) {
    auto shared = std::make_shared<shared_operation<Results...>>(std::move(op));
    shared->done.on_cancel([weak = std::weak_ptr(shared), cancel = std::move(cancel)](asio::cancellation_type type) {
        if (auto const still = weak.lock()) cancel(*still, type);
    });
    return shared;
}

}  // namespace minibatch::detail
