#pragma once

#include <algorithm>
#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/system/system_error.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <type_traits>
#include <variant>

namespace minibatch::test {

namespace asio = boost::asio;

/// How operations are called.
enum class calling {
    plain,      ///< from a thread pool, without a cancellation slot
    with_slot,  ///< from a thread pool, with a slot on which nothing is emitted
    cancelled,  ///< from strands of a thread pool, with a cancellation that races with the completion
};
constexpr calling every_calling[] = {calling::plain, calling::with_slot, calling::cancelled};

inline std::ostream& operator<<(std::ostream& out, calling how) {
    constexpr char const* names[] = {"plain", "with a slot", "cancelled"};
    return out << names[static_cast<int>(how)];
}

/// A thread pool of eight from which a test calls operations, as a server does.
class callers {
  public:
    explicit callers(std::uint64_t seed) : random_(seed) {}
    ~callers() { pool.join(); }
    callers(callers const&) = delete;
    callers& operator=(callers const&) = delete;

    template <class Made>
    struct result_of;
    template <class T>
    struct result_of<asio::awaitable<T>> {
        using type = std::conditional_t<std::is_void_v<T>, std::monostate, T>;
        static constexpr bool nothing = std::is_void_v<T>;
    };
    template <class Make>
    using result = typename result_of<std::invoke_result_t<Make&, int>>::type;

    /// Calls the operations `make(0)` … `make(count - 1)`, up to `at_once` of them at the same time, and
    /// `done(i, code, value)` with what each ended with, one after another. Returns when all have ended; ends the
    /// program if that takes longer than two minutes.
    template <class Make, class Done>
    void each(int count, calling how, Make make, Done done, int at_once = 16) {
        state<Make, Done> all{*this, count, how, std::move(make), std::move(done)};
        for (int i = 0; i < std::min(count, at_once); ++i) all.begin_next();
        all.wait();
    }

    asio::thread_pool pool{8};

  private:
    struct caller {
        asio::any_io_executor where;
        asio::cancellation_signal signal;
    };

    template <class Make, class Done>
    struct state {
        void begin_next() {
            int const i = next++;
            if (i >= count) return;
            auto const own = std::make_shared<caller>();
            own->where = owner.pool.get_executor();
            if (how == calling::cancelled) own->where = asio::make_strand(owner.pool);
            auto on_end = [this, own](std::exception_ptr thrown) { end(std::move(thrown)); };
            if (how == calling::plain) {
                asio::co_spawn(own->where, call(i), std::move(on_end));
                return;
            }
            asio::co_spawn(
                own->where, call(i),
                asio::bind_cancellation_slot(own->signal.slot(), asio::bind_executor(own->where, std::move(on_end))));
            if (how == calling::cancelled) cancel_after(own, owner.random_turns());
        }

        asio::awaitable<void> call(int i) {
            boost::system::error_code code;
            std::optional<result<Make>> value;
            try {
                if constexpr (result_of<std::invoke_result_t<Make&, int>>::nothing) {
                    co_await make(i);
                    value.emplace();
                } else {
                    value.emplace(co_await make(i));
                }
            } catch (boost::system::system_error const& failure) {
                code = failure.code();
            }
            std::lock_guard const one_at_a_time(mutex);
            done(i, code, std::move(value));
        }

        void end(std::exception_ptr thrown) {
            begin_next();
            std::lock_guard const lock(mutex);
            if (thrown && !problem) problem = thrown;
            if (++ended == count) changed.notify_all();
        }
        void wait() {
            std::unique_lock lock(mutex);
            if (!changed.wait_for(lock, std::chrono::minutes(2), [&] { return ended == count; })) {
                std::cerr << count - ended << " operations did not complete" << std::endl;
                std::abort();  // they refer to what would be unwound
            }
            if (problem) std::rethrow_exception(problem);
        }

        callers& owner;
        int const count;
        calling const how;
        Make make;
        Done done;
        std::atomic<int> next = 0;
        int ended = 0;
        std::mutex mutex = {};
        std::condition_variable changed = {};
        std::exception_ptr problem = {};
    };

    int random_turns() {
        std::lock_guard const lock(mutex_);
        return std::uniform_int_distribution(0, 40)(random_);
    }
    /// Emits the cancellation after so many turns of the caller's strand.
    static void cancel_after(std::shared_ptr<caller> const& who, int turns) {
        asio::post(who->where, [who, turns] {
            if (turns == 0)
                who->signal.emit(asio::cancellation_type::terminal);
            else
                cancel_after(who, turns - 1);
        });
    }

    std::mutex mutex_;
    std::mt19937_64 random_;
};

}  // namespace minibatch::test
