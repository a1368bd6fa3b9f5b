// Random histories of one partition and group: whatever happens, each message is committed exactly once, and windows
// come back unchanged.

#include <boost/test/unit_test.hpp>

#include "windowing_world.hpp"

using namespace windowing_test;  // NOLINT(google-build-using-namespace)

BOOST_AUTO_TEST_SUITE(windowing_model)

namespace {

// Takes some messages in some order and throws some away.
struct erratic : window_emitter {
    explicit erratic(std::uint32_t seed) : bits(seed) {}
    readiness window_ready(std::span<message const> pending, time_point) override {
        readiness answer;
        answer.ready = pending.size() > 3 && pick(bits, 0, 1) == 0;
        for (auto const& each : pending) {
            auto const fate = pick(bits, 0, 9);
            if (fate < 4)
                answer.take.insert(answer.take.begin() + pick(bits, 0, std::ssize(answer.take)), each.offset());
            if (fate == 9) answer.discard.push_back(each.offset());
        }
        if (answer.take.empty()) answer.ready = false;
        return answer;
    }
    random_bits bits;
};

void run(strategy const& how, std::uint32_t seeds = 300, world::chances may = {}) {
    for (std::uint32_t seed = 1; seed <= seeds; ++seed) {
        BOOST_TEST_INFO_SCOPE("seed " << seed);
        world each(how, seed, may);
        for (int i = 0; i < 120; ++i) each.event();
        each.drain();
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE(count) { run(count_window(7)); }
BOOST_AUTO_TEST_CASE(bytes) { run(max_bytes(100)); }
BOOST_AUTO_TEST_CASE(age) { run(max_age(milliseconds(50))); }
BOOST_AUTO_TEST_CASE(count_and_bytes) { run(count_window(7) || max_bytes(120)); }
BOOST_AUTO_TEST_CASE(count_and_age) { run(count_window(7) || max_age(milliseconds(50))); }
BOOST_AUTO_TEST_CASE(all_triggers) { run(count_window(7) || max_bytes(120) || max_age(milliseconds(50))); }
BOOST_AUTO_TEST_CASE(fixed) { run(fixed_time_window(milliseconds(40))); }
BOOST_AUTO_TEST_CASE(fixed_without_empty) {
    run(fixed_time_window(milliseconds(40), {.offset = {}, .emit_empty = false}));
}
BOOST_AUTO_TEST_CASE(relaxed) { run(relaxed_time_window(milliseconds(40), {.emit_empty = true})); }
BOOST_AUTO_TEST_CASE(relaxed_with_limits) {
    run(relaxed_time_window(milliseconds(40)) || count_window(5) || max_bytes(90));
}
BOOST_AUTO_TEST_CASE(retention) {
    auto const short_time = milliseconds(40);
    auto const custom = custom_window([seed = 0U]() mutable { return std::make_unique<erratic>(++seed); });
    for (auto const& how : {count_window(7) || max_bytes(120) || max_age(short_time), fixed_time_window(short_time),
                            relaxed_time_window(short_time), custom}) {
        run(how, 100, {.retention = true});
    }
}
BOOST_AUTO_TEST_CASE(clock_jumps) {
    auto const short_time = milliseconds(40);
    auto const custom = custom_window([seed = 0U]() mutable { return std::make_unique<erratic>(++seed); });
    for (auto const& how : {count_window(7) || max_age(short_time), fixed_time_window(short_time),
                            fixed_time_window(short_time, {.emit_empty = false}), relaxed_time_window(short_time),
                            relaxed_time_window(short_time, {.emit_empty = true}), custom}) {
        run(how, 50, {.clock_jumps = true});
        run(how, 25, {.retention = true, .clock_jumps = true});
    }
}
BOOST_AUTO_TEST_CASE(custom) {
    run(custom_window([seed = 0U]() mutable { return std::make_unique<erratic>(++seed); }));
}

BOOST_AUTO_TEST_SUITE_END()
