#include "api/streaming_loop.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "api/to_error.hpp"
#include "runtime/back_off.hpp"
#include "store/recovery.hpp"

namespace minibatch::detail {
namespace {

bool may_pass(error const& problem) { return store::recovery_from(problem.code()) == store::recovery::by_itself; }

}  // namespace

streaming_loop::streaming_loop(database db, std::string name, strategy how, streaming_options options,
                               window_handler handler, completion<> done)
    : strand_(done.executor),
      core_(db.core_),
      db_(std::move(db)),
      name_(std::move(name)),
      how_(std::move(how)),
      options_(std::move(options)),
      handler_(std::move(handler)),
      op_(std::move(done)) {}

void streaming_loop::start() {
    op_.on_cancel([weak = weak_from_this(), place = strand_](asio::cancellation_type type) {
        if (!may_leave_open(type)) return;
        asio::post(place, [weak] {
            if (auto const self = weak.lock()) self->cancel();
        });
    });
    asio::post(strand_, [self = shared_from_this()] { self->join(); });
}

void streaming_loop::join() {
    auto stop = [weak = weak_from_this(), place = strand_] {
        asio::post(place, [weak] {
            if (auto const self = weak.lock()) self->stop();
        });
    };
    on_stop_.emplace(options_.stop, std::move(stop));
    auto done = [self = shared_from_this()](std::exception_ptr problem, consumer made) {
        self->joined(std::move(problem), std::move(made));
    };
    asio::co_spawn(strand_, try_to_join(),
                   asio::bind_executor(strand_, asio::bind_cancellation_slot(joining_.slot(), std::move(done))));
}

/// Tries until it succeeds, as the loop does in an outage, or until it is interrupted.
asio::awaitable<consumer> streaming_loop::try_to_join() {
    consumer_options consuming;
    consuming.group = options_.group;
    consuming.keep = options_.keep;
    consuming.max_in_flight = options_.max_workers;
    for (int tries = 1;; ++tries) {
        std::optional<error> outage;
        try {
            auto source = co_await stream::get_or_create(db_, name_);
            co_return co_await source.consume(how_, consuming);
        } catch (error const& problem) {
            if (!may_pass(problem) || stopping_ || cancelled_) throw;
            outage = problem;
        }
        core_->env().say(log_level::warning,
                         "streaming from stream '" + name_ + "' cannot begin: " + outage->what() + "; it tries again");
        co_await pause(runtime::back_off_delay(tries));
    }
}

asio::awaitable<void> streaming_loop::pause(std::chrono::milliseconds delay) {
    auto token = asio::use_awaitable;
    auto start = [this, delay](auto handler) {
        resume_ = [place = strand_, handler = std::move(handler)]() mutable { asio::post(place, std::move(handler)); };
        auto& time = *core_->env().time;
        alarm_ = time.at(time.now() + delay, [weak = weak_from_this(), place = strand_] {
            asio::post(place, [weak] {
                if (auto const self = weak.lock()) self->wake();
            });
        });
    };
    co_await asio::async_initiate<asio::use_awaitable_t<> const, void()>(std::move(start), token);
}

void streaming_loop::wake() {
    alarm_.reset();
    if (auto resume = std::exchange(resume_, nullptr)) std::move(resume)();
}

void streaming_loop::joined(std::exception_ptr problem, consumer made) {
    if (stopping_ || cancelled_) {
        made = {};
        if (cancelled_) first_problem_ = std::make_exception_ptr(error(error_code(asio::error::operation_aborted)));
        return finish();
    }
    if (problem) {
        first_problem_ = std::move(problem);
        return finish();
    }
    consumer_ = std::move(made);
    running_ = options_.max_workers;
    for (int i = 0; i < options_.max_workers; ++i)
        workers_.push_back(std::make_shared<worker>(asio::make_strand(strand_.get_inner_executor())));
    for (auto const& each : workers_) {
        auto done = [self = shared_from_this(), each](std::exception_ptr ended_by) {
            self->worker_ended(std::move(ended_by));
        };
        asio::co_spawn(
            each->place, work(*consumer_),
            asio::bind_executor(strand_, asio::bind_cancellation_slot(each->cancel.slot(), std::move(done))));
    }
}

/// Takes windows one after another until the consumer has drained.
asio::awaitable<void> streaming_loop::work(consumer from) {
    for (;;) {
        std::optional<window> taken;
        try {
            taken = co_await from.next_window();
        } catch (error const& problem) {
            if (!may_pass(problem)) throw;
            continue;  // the consumer goes on by itself, with a back-off
        }
        if (!taken) co_return;
        std::optional<std::string> failure;
        try {
            co_await handler_(*taken);
        } catch (std::exception const& problem) {
            failure = problem.what();
        } catch (...) {
            failure = "the handler threw something that is not a std::exception";
        }
        // A cancelled handler has failed, too, but its window must be given back without a wait.
        if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none)
            throw error(error_code(asio::error::operation_aborted));
        try {
            if (failure)
                co_await taken->fail(std::move(*failure));
            else
                co_await taken->commit();
        } catch (error const& problem) {
            // Fenced: another consumer delivers it now. Outage: it is delivered again when that is over.
            if (!may_pass(problem) && problem.code() != errc::fenced) throw;
        }
    }
}

/// All workers end together: by draining, or by the first one's error, which cancels the others.
void streaming_loop::worker_ended(std::exception_ptr problem) {
    if (problem && !first_problem_) {
        first_problem_ = std::move(problem);
        cancel_workers();
    }
    if (--running_ == 0) finish();
}

void streaming_loop::stop() {
    stopping_ = true;
    if (consumer_)
        consumer_->stop();
    else
        interrupt_join();
}

void streaming_loop::cancel() {
    cancelled_ = true;
    if (consumer_)
        cancel_workers();
    else
        interrupt_join();
}

void streaming_loop::interrupt_join() {
    joining_.emit(asio::cancellation_type::terminal);
    wake();
}

void streaming_loop::cancel_workers() {
    for (auto const& each : workers_)
        asio::post(each->place, [each] { each->cancel.emit(asio::cancellation_type::terminal); });
}

void streaming_loop::finish() {
    auto const outcome = to_error(first_problem_);
    // The caller may end what these refer to as soon as the operation completes.
    on_stop_.reset();
    alarm_.reset();
    workers_.clear();
    consumer_.reset();
    handler_ = nullptr;
    options_ = {};
    db_ = {};
    core_.reset();
    op_.complete(outcome);
}

}  // namespace minibatch::detail
