#include <boost/test/unit_test.hpp>
#include <stdexcept>

#include "windowing_support.hpp"

using namespace windowing_test;  // NOLINT(google-build-using-namespace)

BOOST_AUTO_TEST_SUITE(windowing_custom)

namespace {

// Answers what the test has laid ready, and keeps what it was asked.
struct scripted : window_emitter {
    readiness window_ready(std::span<message const> pending, time_point) override {
        seen.clear();
        for (auto const& each : pending) seen.push_back(each.offset());
        if (fails) throw std::runtime_error("no luck");
        return std::exchange(answer, {});
    }
    std::int64_t max_pending_messages() const override { return 10; }

    readiness answer;
    std::vector<std::int64_t> seen;
    bool fails = false;
};

using offsets = std::vector<std::int64_t>;

}  // namespace

BOOST_AUTO_TEST_CASE(it_takes_what_it_wants_in_its_order) {
    auto const emitter = std::make_shared<scripted>();
    bench b(emitter);
    b.add(3, 10);
    b.add(3, 20);
    emitter->answer.look_again = time_point(milliseconds(99));
    BOOST_TEST(b.next(20) == "wait 99");
    BOOST_TEST((emitter->seen == offsets{0, 1, 2, 3, 4, 5}));
    emitter->answer = {.ready = true, .take = {4, 5, 1, 2}, .discard = {3}, .look_again = {}};
    auto const made = std::get<cut>(b.plan.next(b.pending, at(20)));
    BOOST_TEST(bench::show(made) == "custom [4,6) [1,3) 10..20 recorded");
    BOOST_TEST((made.discarded == ranges{{3, 4}}));
    BOOST_TEST(messages_of(made, 0).at(2).offset() == 1);
    b.add(1, 30);
    BOOST_TEST(b.next(30) == "wait");
    BOOST_TEST((emitter->seen == offsets{0, 6}));
    BOOST_TEST(b.pending.count() == 2);
    BOOST_TEST(b.pending.bytes() == 20);
    BOOST_TEST(b.flush(30) == "flush [0,1) [6,7) 10..30 recorded");
}

BOOST_AUTO_TEST_CASE(it_may_discard_without_a_window) {
    auto const emitter = std::make_shared<scripted>();
    bench b(emitter);
    b.add(6, 10);
    emitter->answer.discard = {4, 0, 1};
    BOOST_TEST(b.next(10) == "discard [0,2) [4,5)");
    BOOST_TEST(b.next(10) == "wait");
    BOOST_TEST((emitter->seen == offsets{2, 3, 5}));
    emitter->answer = {.ready = true, .take = {}, .discard = {}, .look_again = {}};
    BOOST_TEST(b.next(33) == "custom 33..33 recorded");
}

BOOST_AUTO_TEST_CASE(at_the_end_it_is_asked_as_long_as_it_finds_something) {
    auto const emitter = std::make_shared<scripted>();
    bench b(emitter);
    b.add(6, 10);
    b.pending.set_caught_up(false);
    emitter->answer = {.ready = true, .take = {0, 1}, .discard = {}, .look_again = {}};
    BOOST_TEST(b.flush(10) == "custom [0,2) 10..10 recorded");
    emitter->answer.discard = {2};
    BOOST_TEST(b.flush(10) == "discard [2,3)");
    BOOST_TEST(b.flush(10) == "read on");
    b.pending.set_caught_up(true);
    emitter->answer = {.ready = true, .take = {}, .discard = {3}, .look_again = {}};
    BOOST_TEST(b.flush(10) == "custom 10..10 recorded");
    emitter->answer = {.ready = true, .take = {}, .discard = {}, .look_again = {}};  // might go on for ever
    BOOST_TEST(b.flush(10) == "flush [4,6) 10..10 recorded");
    BOOST_TEST(emitter->seen.size() == 2u);
    emitter->answer = {.ready = true, .take = {}, .discard = {}, .look_again = {}};
    BOOST_TEST(b.flush(10) == "nothing");
}

BOOST_AUTO_TEST_CASE(at_the_end_recorded_windows_come_first) {
    auto const emitter = std::make_shared<scripted>();
    store::progress from;
    from.recorded = {{{{1, 2}, {0, 1}}, 10, 10, window_reason::custom, {}}, {{}, 30, 30, window_reason::custom, {}}};
    bench b(emitter, from);
    b.add(3, 10);
    BOOST_TEST(b.flush(40) == "custom 30..30 recorded");  // empty, but stored
    BOOST_TEST(b.flush(40) == "custom [1,2) [0,1) 10..10 recorded");
    BOOST_TEST(b.flush(40) == "flush [2,3) 10..10 recorded");
}

BOOST_AUTO_TEST_CASE(nonsense_is_refused_and_takes_nothing) {
    auto const emitter = std::make_shared<scripted>();
    bench b(emitter);
    b.add(6, 10);
    for (auto const& answer :
         {readiness{true, {1, 1}, {}, {}}, readiness{true, {6}, {}, {}}, readiness{true, {-1}, {}, {}},
          readiness{true, {1, 2}, {2}, {}}, readiness{false, {}, {9}, {}}}) {
        emitter->answer = answer;
        BOOST_CHECK_EXCEPTION(b.next(10), error, fails_with(errc::emitter_failed));
        BOOST_TEST(b.pending.count() == 6);
    }
    emitter->fails = true;
    BOOST_CHECK_EXCEPTION(b.next(10), error, [](error const& failure) {
        return failure.code() == errc::emitter_failed && failure.diagnostics().find("no luck") != std::string::npos;
    });
}

BOOST_AUTO_TEST_CASE(what_is_pending_is_bounded) {
    auto const emitter = std::make_shared<scripted>();
    bench b(emitter);
    b.pending.set_caught_up(false);
    b.add(10, 10);
    BOOST_TEST(b.next(10) == "read on");
    b.add(1, 10);
    BOOST_CHECK_EXCEPTION(b.next(10), error, fails_with(errc::too_many_pending));
}

BOOST_AUTO_TEST_SUITE_END()
