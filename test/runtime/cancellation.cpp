#include <boost/asio/bind_executor.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/test/unit_test.hpp>

#include "support/ledger.hpp"
#include "support/rig.hpp"

using namespace std::chrono_literals;
using namespace minibatch;
using namespace minibatch::test;

BOOST_AUTO_TEST_SUITE(cancellation)

namespace {

template <class T>
asio::awaitable<error_code> outcome_of(asio::awaitable<T> operation) {
    try {
        co_await std::move(operation);
    } catch (boost::system::system_error const& problem) {
        co_return problem.code();
    }
    co_return error_code();
}

/// `operation || timer`, as users write it. The operation's outcome, if it was first.
template <class T>
asio::awaitable<std::optional<error_code>> race(world& in, asio::awaitable<T> operation) {
    using namespace asio::experimental::awaitable_operators;
    auto first = outcome_of(std::move(operation));
    auto timer = in.after(1ms);
    auto both = std::move(first) || std::move(timer);
    auto const outcome = co_await std::move(both);
    if (outcome.index() == 0) co_return std::get<0>(outcome);
    co_return std::nullopt;
}

enum class by { cancellation, timer };

struct way {
    by how;
    rig::place at;
};
constexpr way every_way[] = {{by::cancellation, rig::place::here},
                             {by::timer, rig::place::here},
                             {by::cancellation, rig::place::far},
                             {by::timer, rig::place::far}};

/// Calls `once(steps)` with 0, 1, 2 … until it says that the operation had ended before it was interrupted.
template <class Once>
void for_every_step(Once once) {
    int steps = 0;
    for (bool ended = false; !ended; ++steps) {
        BOOST_TEST_INFO_SCOPE("interrupted after " << steps << " steps");
        BOOST_REQUIRE(steps < 200);
        ended = once(steps);
    }
    BOOST_TEST(steps > 3);  // else nothing was interrupted
}

/// Starts the operation, runs so many steps, interrupts it, and runs the rest. Returns whether it had ended before.
template <class T>
bool interrupt(rig& w, asio::awaitable<T> operation, int steps, by how, std::optional<error_code>& outcome) {
    auto const run_steps = [&](auto const& running) {
        for (int i = 0; i < steps; ++i) {
            w.step();
            if (running.done()) return true;
        }
        return false;
    };
    if (how == by::cancellation) {
        auto const running = w.start(std::move(operation));
        bool const before = run_steps(running);
        running.cancel();
        w.settle();
        BOOST_REQUIRE(running.done());
        outcome = running.code();
        return before;
    }
    auto const running = w.start(race(w, std::move(operation)));
    bool const before = run_steps(running);
    w.time->move_to(w.time->now() + 1ms);
    w.advance(1ms);  // should the timer have been started only then
    BOOST_REQUIRE(running.done());
    outcome = running.value();
    return before;
}

bool in_vain(std::optional<error_code> const& outcome) { return outcome == error_code(asio::error::operation_aborted); }

}  // namespace

BOOST_AUTO_TEST_CASE(append) {
    for (auto const [how, at] : every_way) {
        for_every_step([&](int steps) {
            rig w(at);
            auto windows = w.consume(count_window(1));
            std::vector<boost::json::value> const three{reading(0), reading(1), reading(2)};
            std::optional<error_code> outcome;
            bool const ended = interrupt(w, w.readings.append(three), steps, how, outcome);
            auto const stored = w.stored();
            BOOST_TEST((stored == 0 || stored == 3));
            if (outcome && !*outcome) BOOST_TEST(stored == 3);
            if (in_vain(outcome)) BOOST_TEST(stored == 0);
            if (outcome && *outcome && !in_vain(outcome)) BOOST_TEST((*outcome == errc::outcome_unknown));
            BOOST_TEST(w.append(3) == stored);
            for (std::int64_t i = 0; i <= stored; ++i) {
                auto const each = w.begin(windows.next_window());
                BOOST_REQUIRE(each.ok());
                BOOST_TEST(values(*each.value()).at(0) == (i < stored ? i : 3));
                w.finish(each.value()->commit());
            }
            return ended;
        });
    }
}

BOOST_AUTO_TEST_CASE(next_window) {
    for (auto const [how, at] : every_way) {
        for (bool const arrives_meanwhile : {false, true}) {
            for_every_step([&](int steps) {
                rig w(at);
                if (!arrives_meanwhile) w.append(0);
                auto windows = w.consume(count_window(1));
                std::optional<started<position>> append;
                auto const document = reading(0);
                if (arrives_meanwhile) append = w.start(w.readings.append(document));
                std::optional<error_code> outcome;
                bool const ended = interrupt(w, windows.next_window(), steps, how, outcome);
                BOOST_TEST((!outcome || !*outcome || in_vain(outcome)));
                // What it brought was not looked at, and so it is first, as if nothing had happened.
                w.append(1);
                for (int i = 0; i < 2; ++i) {
                    auto const each = w.begin(windows.next_window());
                    BOOST_REQUIRE(each.ok());
                    BOOST_TEST(each.value()->id() == "default/0/" + std::to_string(i) + "-" + std::to_string(i));
                    BOOST_TEST(each.value()->attempt() == 1);
                    w.finish(each.value()->commit());
                }
                return ended;
            });
        }
    }
}

BOOST_AUTO_TEST_CASE(commit) {
    for (auto const [how, at] : every_way) {
        for (bool const fails : {false, true}) {
            for_every_step([&](int steps) {
                rig w(at);
                w.append(0);
                w.append(1);
                auto windows = w.consume(count_window(1));
                auto held = w.begin(windows.next_window());
                if (fails) w.faulty->fail_call(1, errc::storage_full);
                std::optional<error_code> outcome;
                bool const ended = interrupt(w, held.value()->commit(), steps, how, outcome);
                if (outcome && *outcome) {
                    BOOST_TEST((*outcome == errc::outcome_unknown || (fails && *outcome == errc::storage_full)));
                }
                if (outcome && !*outcome) BOOST_TEST(!fails);
                held.value().reset();
                auto const second = w.begin(windows.next_window());
                // Cancelled before it was begun, if that is possible, it has had no effect.
                bool const committed = w.group().state.low == 1;
                BOOST_TEST((!fails || !committed));
                if (!fails && outcome && !in_vain(outcome)) BOOST_TEST(committed);
                w.advance(1s);
                BOOST_REQUIRE(second.ok());
                BOOST_TEST(second.value()->id() == (committed ? "default/0/1-1" : "default/0/0-0"));
                return ended;
            });
        }
    }
}

BOOST_AUTO_TEST_CASE(flush_of_a_producer) {
    for (auto const [how, at] : every_way) {
        for_every_step([&](int steps) {
            rig w(at);
            auto writer = w.readings.make_producer({.batch_size = 2, .linger = 10ms});
            for (int i = 0; i < 3; ++i) w.start(writer.append(reading(i)));
            w.settle();
            std::optional<error_code> outcome;
            bool const ended = interrupt(w, writer.flush(), steps, how, outcome);
            BOOST_TEST((!outcome || !*outcome || in_vain(outcome)));
            if (outcome && !*outcome) BOOST_TEST(w.stored() == 3);
            w.advance(10ms);
            BOOST_TEST(w.stored() == 3);  // the writing goes on
            w.finish(writer.flush());
            BOOST_TEST(writer.take_unwritten().empty());
            return ended;
        });
    }
}

BOOST_AUTO_TEST_CASE(append_to_a_full_producer) {
    for_every_step([&](int steps) {
        rig w;
        auto writer = w.readings.make_producer({.linger = 10ms, .max_pending_bytes = 1});
        w.start(writer.append(reading(0)));
        std::optional<error_code> outcome;
        bool const ended = interrupt(w, writer.append(reading(1)), steps, by::cancellation, outcome);
        w.start(writer.append(reading(2)));
        w.advance(1s);
        w.finish(writer.flush());
        BOOST_TEST(w.stored() == (in_vain(outcome) ? 2 : 3));
        return ended;
    });
}

BOOST_AUTO_TEST_CASE(consume) {
    for (auto const [how, at] : every_way) {
        for_every_step([&](int steps) {
            rig w(at);
            w.append(0);
            std::optional<error_code> outcome;
            bool const ended = interrupt(w, w.readings.consume(count_window(1)), steps, how, outcome);
            // Whatever became of it, no lease is left behind.
            auto windows = w.consume(count_window(1));
            auto const each = w.begin(windows.next_window());
            BOOST_REQUIRE(each.ok());
            BOOST_TEST(each.value()->attempt() == 1);
            w.finish(each.value()->commit());
            return ended;
        });
    }
}

/// Interrupts a call at every step. One that was in vain had no effect, and one of unknown outcome may have had it.
template <class Call, class Effect>
void interrupt_call(Call call, Effect effect) {
    for (auto const [how, at] : every_way) {
        for_every_step([&](int steps) {
            rig w(at);
            w.append(0);
            w.finish(w.readings.consume(count_window(1))).stop();
            w.settle();
            std::optional<error_code> outcome;
            bool const ended = interrupt(w, call(w), steps, how, outcome);
            if (in_vain(outcome)) BOOST_TEST(!effect(w));
            if (outcome && !*outcome) BOOST_TEST(effect(w));
            if (outcome && *outcome && !in_vain(outcome)) BOOST_TEST((*outcome == errc::outcome_unknown));
            return ended;
        });
    }
}

BOOST_AUTO_TEST_CASE(get_or_create) {
    interrupt_call([](rig& w) { return stream::get_or_create(w.db, "other"); },
                   [](rig& w) { return w.store->find_stream("other", w.time->now()).has_value(); });
}

BOOST_AUTO_TEST_CASE(clear) {
    interrupt_call([](rig& w) { return w.readings.clear(); },
                   [](rig& w) { return w.store->state(w.log, w.time->now()).floor.offset == 1; });
}

BOOST_AUTO_TEST_CASE(delete_stream) {
    interrupt_call([](rig& w) { return w.db.delete_stream("readings"); },
                   [](rig& w) { return !w.store->find_stream("readings", w.time->now()); });
}

BOOST_AUTO_TEST_CASE(delete_group) {
    interrupt_call([](rig& w) { return w.db.delete_group("readings", "default"); },
                   [](rig& w) { return w.store->list_groups(w.log.incarnation, w.time->now()).empty(); });
}

// These change nothing.
BOOST_AUTO_TEST_CASE(queries) {
    for (auto const [how, at] : every_way) {
        for (int query = 0; query < 4; ++query) {
            for_every_step([&](int steps) {
                rig w(at);
                std::optional<error_code> outcome;
                bool const ended = query == 0   ? interrupt(w, w.db.streams(), steps, how, outcome)
                                   : query == 1 ? interrupt(w, w.db.find_stream("readings"), steps, how, outcome)
                                   : query == 2 ? interrupt(w, w.readings.peek(0, 0, 1), steps, how, outcome)
                                                : interrupt(w, w.readings.info(), steps, how, outcome);
                BOOST_TEST((!outcome || !*outcome || in_vain(outcome)));
                return ended;
            });
        }
    }
}

BOOST_AUTO_TEST_CASE(a_call_without_an_answer_ends_at_a_cancellation) {
    rig w;
    std::optional<started<stream_info>> query;
    std::optional<started<void>> clear;
    w.faulty->during_call = [&](std::string_view call) {
        if (call == "state") {
            query->cancel();
            w.settle();
            BOOST_TEST((query->code() == asio::error::operation_aborted));
        } else if (call == "clear stream") {
            clear->cancel();
            w.settle();
            BOOST_TEST((clear->code() == errc::outcome_unknown));
        }
    };
    query = w.start(w.readings.info());
    w.settle();
    BOOST_TEST(query->done());
    clear = w.start(w.readings.clear());
    w.settle();
    BOOST_TEST(clear->done());
}

// Only a terminal cancellation may leave the outcome open.
BOOST_AUTO_TEST_CASE(what_is_under_way_outlasts_a_partial_or_total_cancellation) {
    for (auto const type : {asio::cancellation_type::partial, asio::cancellation_type::total}) {
        rig w;
        auto windows = w.consume(count_window(1));
        asio::cancellation_signal signal;
        int good = 0;
        auto const with = [&](auto handler) { return asio::bind_cancellation_slot(signal.slot(), handler); };
        auto const emit = [&] { signal.emit(type); };
        auto const place = w.context.get_executor();
        w.faulty->during_write = emit;
        w.readings.append(reading(0),
                          with(asio::bind_executor(place, [&](error_code code, position) { good += !code; })));
        w.settle();
        BOOST_TEST(good == 1);
        auto window = w.begin(windows.next_window());
        w.faulty->during_write = emit;
        window.value()->commit(with(asio::bind_executor(place, [&](error_code code) { good += !code; })));
        w.settle();
        BOOST_TEST(good == 2);
        w.faulty->during_call = [&](std::string_view call) {
            if (call == "clear stream") emit();
        };
        w.readings.clear(with(asio::bind_executor(place, [&](error_code code) { good += !code; })));
        w.settle();
        BOOST_TEST(good == 3);
    }
}

BOOST_AUTO_TEST_CASE(waiters_are_served_in_order_and_one_may_leave) {
    rig w;
    auto windows = w.consume(count_window(1), {.max_in_flight = 4});
    std::vector<next> waiters;
    for (int i = 0; i < 5; ++i) waiters.push_back(w.begin(windows.next_window()));
    waiters[0].cancel();
    waiters[3].cancel();
    w.settle();
    for (int i : {0, 3}) {
        BOOST_TEST((waiters[static_cast<std::size_t>(i)].code() == asio::error::operation_aborted));
    }
    std::int64_t expected = 0;
    for (std::size_t i : {1U, 2U, 4U}) {
        BOOST_TEST(!waiters[i].done());
        w.append(expected);
        BOOST_REQUIRE(waiters[i].ok());
        BOOST_TEST(values(*waiters[i].value()).at(0) == expected++);
    }
}

BOOST_AUTO_TEST_CASE(one_append_of_many_is_taken_back) {
    rig w;
    std::vector<started<position>> appends;
    auto const begin = [&](int value) {
        auto const document = reading(value);
        appends.push_back(w.start(w.readings.append(document)));
    };
    begin(0);
    w.faulty->during_write = [&] {  // the first is on its way, the others wait for the next write
        for (int i = 1; i < 6; ++i) begin(i);
        w.settle();
        appends[3].cancel();
        appends[0].cancel();
        w.settle();
    };
    w.settle();
    BOOST_TEST((appends[0].code() == errc::outcome_unknown));
    BOOST_TEST((appends[3].code() == asio::error::operation_aborted));
    std::vector<std::int64_t> offsets;
    for (std::size_t i : {1U, 2U, 4U, 5U}) offsets.push_back(appends[i].value().offset);
    std::vector<std::int64_t> const expected{1, 2, 3, 4};
    BOOST_TEST(offsets == expected, boost::test_tools::per_element());
    auto const stored = w.finish(w.readings.peek(0, 0, 10));
    std::vector<std::int64_t> found;
    for (auto const& message : stored) found.push_back(message.data().at("value").to_number<std::int64_t>());
    std::vector<std::int64_t> const kept{0, 1, 2, 4, 5};
    BOOST_TEST(found == kept, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
