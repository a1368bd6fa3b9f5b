#include <boost/test/unit_test.hpp>
#include <stop_token>

#include "support/rig.hpp"

using namespace std::chrono_literals;
using namespace minibatch;
using namespace minibatch::test;

/// `streaming` while the database is away at its start.
BOOST_AUTO_TEST_SUITE(streaming_start)
namespace {

/// A stream with one reading, and `streaming` that handles windows of one.
struct starting : rig {
    starting() { append(0); }

    started<void> run() {
        auto handler = [this](window& each) -> asio::awaitable<void> {
            handled += static_cast<int>(each.size());
            co_return;
        };
        options.stop = stop.get_token();
        return start(streaming(db, "readings", options, handler));
    }

    streaming_options options{.size = 1, .keep = true};
    std::stop_source stop;
    int handled = 0;
};

constexpr char const* calls_at_start[] = {"open stream", "register group"};
constexpr errc passing[] = {errc::unavailable, errc::timeout, errc::storage_full, errc::outcome_unknown,
                            errc::store_failure};

}  // namespace

BOOST_AUTO_TEST_CASE(waits_for_the_database) {
    for (auto const code : passing) {
        for (std::string_view const failing : calls_at_start) {
            BOOST_TEST_CONTEXT(make_error_code(code).message() << " in " << failing) {
                starting w;
                w.faulty->fail_all(code, [&](std::string_view call) { return call == failing; });
                auto const running = w.run();
                w.advance(1h);
                BOOST_TEST(!running.done());
                BOOST_TEST(w.handled == 0);
                BOOST_TEST(w.was_logged("streaming from stream 'readings' cannot begin: database 'test'"));
                BOOST_TEST(w.logged->size() < 300U);  // it backs off
                w.faulty->heal();
                w.advance(30s);
                BOOST_TEST(w.handled == 1);
                w.stop.request_stop();
                w.settle();
                BOOST_TEST(running.ok());
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(ends_with_an_error_that_does_not_pass) {
    for (std::string_view const failing : calls_at_start) {
        for (auto const code : {errc::access_denied, errc::read_only, errc::corrupt, errc::schema_too_new}) {
            starting w;
            w.faulty->fail_all(code, [&](std::string_view call) { return call == failing; });
            auto const running = w.run();
            w.settle();
            BOOST_TEST((running.code() == code));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_stop_ends_the_pause_between_two_tries) {
    starting w;
    w.faulty->fail_all(errc::unavailable);
    auto const running = w.run();
    w.advance(10min);
    BOOST_TEST(!running.done());
    w.stop.request_stop();
    w.settle();
    BOOST_TEST(running.ok());
    w.faulty->heal();
}

BOOST_AUTO_TEST_CASE(a_cancellation_ends_the_pause_between_two_tries) {
    starting w;
    w.faulty->fail_all(errc::unavailable);
    auto const running = w.run();
    w.advance(10min);
    BOOST_TEST(!running.done());
    running.cancel();
    w.settle();
    BOOST_TEST((running.code() == asio::error::operation_aborted));
    w.faulty->heal();
}

BOOST_AUTO_TEST_CASE(a_call_without_an_answer_is_not_waited_for) {
    for (std::string_view const hanging : calls_at_start) {
        for (bool const stops : {true, false}) {
            starting w;
            std::optional<started<void>> running;
            w.faulty->during_call = [&](std::string_view call) {
                if (call != hanging) return;
                w.faulty->during_call = nullptr;
                w.advance(10s);
                BOOST_TEST(!running->done());
                stops ? void(w.stop.request_stop()) : running->cancel();
                w.settle();
                BOOST_TEST(running->done());
            };
            running = w.run();
            w.settle();
            BOOST_REQUIRE(running->done());
            BOOST_TEST((running->code() == (stops ? error_code() : asio::error::operation_aborted)));
            BOOST_TEST(w.handled == 0);
        }
    }
}

// After each step, and whether the database is there or away.
BOOST_AUTO_TEST_CASE(ends_at_once_wherever_it_is_interrupted) {
    for (bool const away : {false, true}) {
        for (bool const stops : {true, false}) {
            for (int steps = 0; steps < 60; ++steps) {
                BOOST_TEST_CONTEXT((stops ? "stopped" : "cancelled") << " after " << steps << " steps") {
                    starting w;
                    w.options.max_workers = 2;
                    if (away) w.faulty->fail_all(errc::timeout, [](auto call) { return call == "register group"; });
                    auto const running = w.run();
                    for (int i = 0; i < steps && w.step(); ++i) {
                    }
                    stops ? void(w.stop.request_stop()) : running.cancel();
                    w.settle();
                    BOOST_REQUIRE(running.done());
                    BOOST_TEST((running.code() == (stops ? error_code() : asio::error::operation_aborted)));
                    w.faulty->heal();
                    // Nothing is left behind that keeps others from the windows.
                    auto windows = w.consume(count_window(1), {.keep = true});
                    auto const next = w.begin(windows.next_window());
                    w.advance(1s);
                    BOOST_TEST((next.ok() || w.handled == 1));
                }
            }
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
