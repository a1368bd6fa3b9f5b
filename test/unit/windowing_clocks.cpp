// Strategies × clocks: a window that closes by time closes by the time that has passed, whatever is done to the clock.

#include <boost/test/unit_test.hpp>
#include <functional>
#include <set>

#include "windowing_support.hpp"

using namespace windowing_test;  // NOLINT(google-build-using-namespace)

BOOST_AUTO_TEST_SUITE(windowing_clocks)

namespace {

constexpr time_ms hour = 3'600'000;
constexpr time_ms origin = 10 * hour;  // by all clocks

/// The database's clock, by the time that has passed.
struct clock_kind {
    char const* name;
    std::function<time_ms(time_ms)> reading;
};

std::vector<clock_kind> const clocks{
    {"right", [](time_ms passed) { return origin + passed; }},
    {"an hour ahead for the first append, then right",
     [](time_ms passed) { return origin + passed + (passed == 0 ? hour : 0); }},
    {"an hour ahead for the second append, then right",
     [](time_ms passed) { return origin + passed + (passed == 40 ? hour : 0); }},
    {"an hour ahead from the second append on",
     [](time_ms passed) { return origin + passed + (passed >= 40 ? hour : 0); }},
    {"an hour behind from the second append on",
     [](time_ms passed) { return origin + passed - (passed >= 40 ? hour : 0); }},
    {"stands still", [](time_ms) { return origin; }},
    {"stands still after an hour's jump", [](time_ms passed) { return passed == 0 ? origin : origin + hour; }}};

/// Takes all that is pending once nothing has come for 100 ms.
struct quiet final : window_emitter {
    readiness window_ready(std::span<message const> pending, time_point now) override {
        if (pending.size() > seen_) {
            seen_ = pending.size();
            due_ = now + milliseconds(100);
        }
        readiness answer;
        if (pending.empty()) return answer;
        if (now < due_) {
            answer.look_again = due_;
            return answer;
        }
        answer.ready = true;
        seen_ = 0;
        for (auto const& each : pending) answer.take.push_back(each.offset());
        return answer;
    }
    std::size_t seen_ = 0;
    time_point due_{};
};

struct strategy_kind {
    char const* name;
    std::function<strategy()> make;
    std::vector<time_ms> closes;  // after so much time
};

/// Messages arrive after 0 and 40 ms, and after 200 ms.
std::vector<strategy_kind> const strategies{
    {"relaxed", [] { return relaxed_time_window(milliseconds(100)); }, {100, 300}},
    {"relaxed with empty windows",
     [] { return relaxed_time_window(milliseconds(100), {.emit_empty = true}); },
     {100, 200, 300, 400, 500}},
    {"age", [] { return max_age(milliseconds(100)); }, {100, 300}},
    {"count or age", [] { return count_window(50) || max_age(milliseconds(100)); }, {100, 300}},
    {"relaxed or age", [] { return relaxed_time_window(milliseconds(100)) || max_age(milliseconds(70)); }, {70, 270}}};

/// A log, its reader and a strategy under a clock; looks when the strategy says, and at each append, and every minute.
class run {
  public:
    run(strategy const& how, clock_kind const& by) : bench_(how), clock_(by) {}

    void append() {
        auto const now = present();
        last_created_ = now.stamp;
        bench_.add(1, last_created_, arrival(last_created_, now, std::nullopt), 10);
    }
    /// When windows close, until so much time has passed.
    std::vector<time_ms> until(time_ms end, std::set<time_ms> const& appends) {
        std::vector<time_ms> closed;
        while (passed_ <= end) {
            if (appends.contains(passed_)) append();
            std::optional<time_ms> due;
            for (;;) {
                auto const answer = bench_.plan.next(bench_.pending, present());
                if (std::holds_alternative<cut>(answer)) {
                    ids_.insert(window_id("g", 0, std::get<cut>(answer)));
                    closed.push_back(passed_);
                    continue;
                }
                auto const wait = std::get<wait_until>(answer);
                if (wait.when) {
                    BOOST_TEST((wait.by == timeline::steady));
                    due = *wait.when - steady_origin;
                }
                break;
            }
            auto const next = appends.upper_bound(passed_);
            auto at = next == appends.end() ? end + 1 : *next;
            if (due) at = std::min(at, std::max(*due, passed_ + 1));
            passed_ = at;
        }
        BOOST_TEST(ids_.size() == closed.size());
        return closed;
    }

  private:
    static constexpr time_ms steady_origin = 777;
    moment present() const { return moment::of(clock_.reading(passed_), last_created_, steady_origin + passed_); }

    bench bench_;
    clock_kind clock_;
    time_ms passed_ = 0;
    time_ms last_created_ = 0;
    std::set<std::string> ids_;
};

}  // namespace

BOOST_AUTO_TEST_CASE(windows_close_by_the_time_that_has_passed) {
    for (auto const& how : strategies) {
        for (auto const& clock : clocks) {
            BOOST_TEST_CONTEXT(how.name << ", clock: " << clock.name) {
                auto const found = run(how.make(), clock).until(500, {0, 40, 200});
                BOOST_TEST(found == how.closes, boost::test_tools::per_element());
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(emitters_are_told_a_time_that_goes_on) {
    for (auto const& clock : clocks) {
        BOOST_TEST_CONTEXT("clock: " << clock.name) {
            auto const closed = run(std::make_shared<quiet>(), clock).until(500, {0, 40, 200});
            BOOST_REQUIRE(!closed.empty());
            // A clock that is set makes an emitter's window end early at worst, never late.
            BOOST_TEST(closed.front() <= 140);
            BOOST_TEST(closed.back() <= 300);
        }
    }
}

BOOST_AUTO_TEST_CASE(fixed_windows_close_by_stamps) {
    struct row {
        char const* what;
        moment now;
        std::string expected;
    };
    // One message, stamped an hour ahead; windows of a minute.
    for (auto const& each :
         {row{"the clock is back", {origin, origin + hour, 1}, "wait 39660000"},
          row{"half an hour later", {origin + hour / 2, origin + hour, hour / 2}, "wait 39660000"},
          row{"it has caught up", {origin + hour + 59'999, origin + hour + 59'999, hour}, "wait 39660000"},
          row{"the window is over", {origin + hour + 60'000, origin + hour + 60'000, hour}, "seal 39660000"}}) {
        store::progress from;
        from.start_time = origin + hour;
        bench b(fixed_time_window(milliseconds(60'000)), from);
        b.add(1, origin + hour);
        auto const answer = b.plan.next(b.pending, each.now);
        BOOST_TEST(bench::show(answer) == each.expected, each.what);
        if (auto const* wait = std::get_if<wait_until>(&answer)) BOOST_TEST((wait->by == timeline::stamps));
    }
}

BOOST_AUTO_TEST_CASE(relaxed_windows_go_on_after_a_restart_within_an_interval) {
    struct row {
        char const* what;
        time_ms last_end;
        std::string expected;
    };
    for (auto const& each : {row{"a moment ago", origin - 30, "wait 147"}, row{"long ago", origin - hour, "time"},
                             row{"with a clock that was ahead", origin + hour, "wait 177"}}) {
        store::progress from;
        from.windows_end = each.last_end;
        bench b(relaxed_time_window(milliseconds(100)), from);
        b.add(1, origin, 77, 10);
        auto const shown = bench::show(b.plan.next(b.pending, {origin, origin, 77}));
        BOOST_TEST(shown.starts_with(each.expected), each.what << ": " << shown);
    }
}

BOOST_AUTO_TEST_CASE(age_of_what_is_read_late) {
    struct row {
        char const* what;
        time_ms created;
        std::optional<time_ms> after;
        time_ms expected;  // arrival, by the steady clock
    };
    moment const now{origin, origin, 10'000};
    for (auto const& each : {row{"just now", origin, {}, 10'000}, row{"waiting for long", origin - 3'000, {}, 7'000},
                             row{"stamped by a clock that was ahead", origin + hour, {}, 10'000},
                             row{"by one that was behind", origin - hour, {}, 10'000 - hour},
                             row{"the same, but it was not there a second ago", origin - hour, 9'000, 9'000},
                             row{"younger than that", origin - 400, 9'000, 9'600}}) {
        BOOST_TEST(arrival(each.created, now, each.after) == each.expected, each.what);
    }
}

BOOST_AUTO_TEST_SUITE_END()
