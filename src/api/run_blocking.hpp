#pragma once

#include <boost/asio/post.hpp>
#include <exception>
#include <tuple>

#include "api/database_core.hpp"
#include "base/current_error.hpp"

namespace minibatch::detail {

/// What a call does to the database, and so what is known once its caller has cancelled it.
enum class call_effect { reads, writes };

/// Runs a blocking call on a worker and completes `done` with what it returns. What the worker holds of the handle is
/// released before that: the last handle should end where the caller ends it, and wait there for the threads.
///
/// A cancellation takes a call back that has not begun. One that has begun goes on, and its result is dropped.
template <class... Results, class Call>
void run_blocking(std::shared_ptr<database_core> core, call_effect effect, completion<Results...> done, Call call) {
    auto begun = core->begin(std::move(done));
    if (!begun) return;
    // Either the worker sees the claim, or the cancellation sees that the call has begun.
    auto const running = std::make_shared<std::atomic<bool>>(false);
    auto cancel = [running, effect](shared_operation<Results...>& op, asio::cancellation_type type) {
        if (effect == call_effect::writes && !may_leave_open(type)) return;
        if (!op.claim()) return;
        if (effect == call_effect::writes && *running)
            op.done.fail(error(errc::outcome_unknown, "the operation was cancelled while it was being executed"));
        else
            op.done.cancelled();
    };
    auto op = share(std::move(*begun), std::move(cancel));
    auto const& workers = core->env().workers;
    asio::post(workers, [core = std::move(core), op = std::move(op), running,
                         work = std::optional(std::move(call))]() mutable {
        *running = true;
        if (op->claimed()) return;
        std::optional<error> problem;
        std::tuple<Results...> results;
        try {
            auto const owner = std::move(core);
            if constexpr (sizeof...(Results) == 0)
                (*work)(*owner->env().database, owner->env().deadline());
            else
                results = std::tuple<Results...>((*work)(*owner->env().database, owner->env().deadline()));
        } catch (...) {
            problem = base::current_error();
        }
        // Reset, not moved from: what a lambda captures from a reference to const is copied by a move.
        work.reset();
        if (!op->claim()) return;
        std::apply([&](auto&... values) { op->done.complete(std::move(problem), std::move(values)...); }, results);
    });
}

}  // namespace minibatch::detail
