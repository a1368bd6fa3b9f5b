#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/object.hpp>
#include <boost/test/unit_test.hpp>
#include <minibatch.hpp>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "api/database_core.hpp"
#include "store/memory/memory_store.hpp"
#include "support/virtual_time.hpp"

namespace minibatch::test {

namespace asio = boost::asio;

/// An operation that a test has started, and its outcome once it has one.
template <class T>
class started {
  public:
    using value_type = std::conditional_t<std::is_void_v<T>, std::monostate, T>;
    struct state {
        asio::cancellation_signal cancel;
        bool done = false;
        std::exception_ptr problem;
        value_type value{};
    };
    explicit started(std::shared_ptr<state> of) : state_(std::move(of)) {}

    bool done() const { return state_->done; }
    bool ok() const { return state_->done && !state_->problem; }
    void cancel() const { state_->cancel.emit(asio::cancellation_type::terminal); }

    /// What it returned; throws what it threw.
    value_type& value() const {
        if (!state_->done) throw std::logic_error("the operation is not done");
        if (state_->problem) std::rethrow_exception(state_->problem);
        return state_->value;
    }
    /// The error it ended with; none if it succeeded, or is not done.
    error_code code() const { return problem() ? problem()->code() : error_code(); }
    std::string what() const { return problem() ? problem()->what() : ""; }

  private:
    std::optional<error> problem() const {
        if (!state_->problem) return std::nullopt;
        try {
            std::rethrow_exception(state_->problem);
        } catch (error const& known) {
            return known;
        } catch (boost::system::system_error const& other) {
            return error(other.code(), other.what());
        }
    }
    std::shared_ptr<state> state_;
};

/// Everything on one thread and in virtual time: the caller's code, the runtime's loop and its workers share one
/// context, which runs when the test says so. Handles must not outlive the world.
class world {
  public:
    world() = default;
    world(world const&) = delete;
    world& operator=(world const&) = delete;
    ~world() {
        // What the handles have left to do, so that no coroutine stays suspended.
        for (int i = 0; i < 10'000 && time->next(); ++i) advance_to(*time->next());
        settle();
        for (auto const& engine : engines_) BOOST_CHECK_MESSAGE(engine.expired(), "an operation was left behind");
    }

    // Not with a hint of one thread: its bookkeeping does not allow for `advance` inside of a handler.
    asio::io_context context;
    std::shared_ptr<virtual_time> const time = std::make_shared<virtual_time>(context);
    std::shared_ptr<std::vector<std::string>> const logged = std::make_shared<std::vector<std::string>>();
    milliseconds timeout{30'000};
    std::size_t max_pending_bytes = std::size_t{64} << 20;

    /// A store on this world's clock; those of the same non-empty name share their content.
    std::shared_ptr<store::store> memory(std::string const& name = {}) const {
        store::open_options options;
        options.time = time;
        return store::open_memory(name, options);
    }
    database open(std::shared_ptr<store::store> of) {
        runtime::environment env;
        env.loop = context.get_executor();
        env.workers = env.loop;
        env.time = time;
        env.database = std::move(of);
        env.log = [lines = logged](log_level, std::string_view text) { lines->emplace_back(text); };
        env.timeout = timeout;
        auto core = detail::database_core::on(std::move(env), max_pending_bytes);
        engines_.push_back(core->engine());
        return database(std::move(core));
    }

    time_ms now() const { return time->system_now(); }

    /// Runs until nothing is ready.
    void settle() {
        for (int steps = 0; step(); ++steps) {
            if (steps > 1'000'000) throw std::logic_error("the world does not come to rest");
        }
    }
    /// Runs one handler. False: none is ready.
    bool step() { return context.poll_one() > 0; }
    /// Lets time pass; what becomes due on the way runs at its own time. May be called from inside a running handler.
    void advance(milliseconds by) { advance_to(time->now() + by); }
    void advance_to(steady_time until) {
        settle();
        for (auto due = time->next(); due && *due <= until; due = time->next()) {
            time->move_to(*due);
            settle();
        }
        time->move_to(std::max(until, time->now()));
        settle();
    }

    /// Begins an operation; it runs when the world does.
    template <class T>
    started<T> start(asio::awaitable<T> operation) {
        auto own = std::make_shared<typename started<T>::state>();
        if constexpr (std::is_void_v<T>) {
            asio::co_spawn(context, std::move(operation),
                           asio::bind_cancellation_slot(own->cancel.slot(), [own](std::exception_ptr problem) {
                               own->problem = problem;
                               own->done = true;
                           }));
        } else {
            asio::co_spawn(context, std::move(operation),
                           asio::bind_cancellation_slot(own->cancel.slot(), [own](std::exception_ptr problem, T value) {
                               own->problem = problem;
                               own->value = std::move(value);
                               own->done = true;
                           }));
        }
        return started<T>(std::move(own));
    }
    /// Lets the operation run, and time pass as it needs it (up to an hour), until it has an outcome.
    template <class T>
    void wait(started<T> const& operation) {
        auto const limit = time->now() + std::chrono::hours(1);
        for (settle(); !operation.done(); settle()) {
            auto const due = time->next();
            if (!due || *due > limit) throw std::logic_error("the operation does not end");
            time->move_to(*due);
        }
    }
    /// Runs an operation to its end and returns its result; throws what it throws.
    template <class T>
    T finish(asio::awaitable<T> operation) {
        auto const running = start(std::move(operation));
        wait(running);
        if constexpr (std::is_void_v<T>)
            running.value();
        else
            return std::move(running.value());
    }
    /// Begins an operation and runs what is ready, without letting time pass.
    template <class T>
    started<T> begin(asio::awaitable<T> operation) {
        auto running = start(std::move(operation));
        settle();
        return running;
    }

    /// An awaitable that is over after this much virtual time.
    asio::awaitable<void> after(milliseconds delay) {
        struct alarm {
            std::unique_ptr<runtime::timer> timer;
            detail::any_handler<void(error_code)> done;
            void end(error_code why) {
                timer.reset();
                if (done) std::exchange(done, nullptr)(why);
            }
        };
        auto start = [this, delay](auto handler) {
            auto const own = std::make_shared<alarm>();
            auto slot = asio::get_associated_cancellation_slot(handler);
            own->done = [loop = context.get_executor(), handler = std::move(handler)](error_code why) mutable {
                asio::post(loop, [handler = std::move(handler), why]() mutable { std::move(handler)(why); });
            };
            own->timer = time->at(time->now() + delay, [own] { own->end({}); });
            if (slot.is_connected()) {
                slot.assign([weak = std::weak_ptr(own)](asio::cancellation_type) {
                    if (auto const still = weak.lock()) still->end(asio::error::operation_aborted);
                });
            }
        };
        auto token = asio::use_awaitable;
        co_await asio::async_initiate<asio::use_awaitable_t<> const, void(error_code)>(std::move(start), token);
    }

  private:
    asio::executor_work_guard<asio::io_context::executor_type> keep_running_{context.get_executor()};
    std::vector<std::weak_ptr<runtime::engine>> engines_;
};

inline boost::json::value reading(std::int64_t value) { return boost::json::object{{"value", value}}; }

/// The values of a window's readings.
inline std::vector<std::int64_t> values(window const& of) {
    std::vector<std::int64_t> found;
    for (auto const& message : of.messages()) found.push_back(message.data().at("value").to_number<std::int64_t>());
    return found;
}

}  // namespace minibatch::test
