// Random histories of one partition and group: appends, windows delivered and committed in any order, saves that fail,
// crashes at any point. Whatever happens, each message is committed exactly once, and windows come back unchanged.

#include <boost/random/mersenne_twister.hpp>
#include <boost/random/uniform_int_distribution.hpp>
#include <boost/test/unit_test.hpp>
#include <map>
#include <memory>
#include <set>

#include "windowing/progress_tracker.hpp"
#include "windowing_support.hpp"

using namespace windowing_test;  // NOLINT(google-build-using-namespace)

namespace {

using random_bits = boost::random::mt19937;

std::int64_t pick(random_bits& bits, std::int64_t low, std::int64_t high) {
    return boost::random::uniform_int_distribution<std::int64_t>(low, high)(bits);
}

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

struct world {
    world(strategy const& strategy_, std::uint32_t seed) : bits(seed), how(strategy_) {
        now = pick(bits, 1000, 5000);
        saved.start_time = now;
        in_flight_limit = static_cast<std::size_t>(pick(bits, 1, 4));
        restart();
    }

    void restart() {
        pending = std::make_unique<pending_log>(saved);
        tracker = std::make_unique<progress_tracker>(saved);
        plan = std::make_unique<planner>(how, saved, 0);
        in_flight.clear();
        unsaved.clear();
        discarded.clear();
        apply_floor();
    }

    // Retention removes records whether they are committed or not.
    void retain() {
        floor += pick(bits, 0, (std::ssize(records) - 1 - floor) / 2);
        for (std::int64_t i = 0; i < floor_offset(); ++i) {
            if (auto& each = commits[static_cast<std::size_t>(i)]; each == 0) each = lost;
        }
        apply_floor();
    }
    std::int64_t floor_offset() const { return floor == 0 ? 0 : records[static_cast<std::size_t>(floor)]->first(); }
    void apply_floor() {
        if (floor == 0) return;
        tracker->retention_floor(floor_offset(), floor, 0);
        pending->drop_below(floor_offset());
    }

    void append(std::int64_t count) {
        records.push_back(
            make_segment(std::ssize(records), end, count, now, static_cast<std::size_t>(pick(bits, 2, 40))));
        end += count;
        created.insert(created.end(), static_cast<std::size_t>(count), now);
        commits.resize(static_cast<std::size_t>(end), 0);
    }

    void read(std::int64_t most) {
        for (; most > 0 && pending->next_number() < std::ssize(records); --most) {
            auto const& record = records[static_cast<std::size_t>(std::max(pending->next_number(), floor))];
            tracker->note_record(*record);
            pending->feed(record);
        }
        pending->set_caught_up(pending->next_number() == std::ssize(records));
    }

    // Returns false if there is nothing to do before time passes or something arrives.
    bool deliver() {
        auto answer = plan->next(*pending, now);
        if (auto* window = std::get_if<cut>(&answer)) return open(*window), true;
        if (auto* dropped = std::get_if<discard_only>(&answer)) {
            tracker->discard(dropped->discarded);
            discarded.insert(discarded.end(), dropped->discarded.begin(), dropped->discarded.end());
            return true;
        }
        if (auto* seal = std::get_if<seal_until>(&answer)) {
            BOOST_REQUIRE(seal->time <= now);
            if (records.empty() || records.back()->created() < seal->time) append(0);
            auto const limit = end;
            read(1000);
            pending->sealed(seal->time, limit);
            return true;
        }
        if (std::holds_alternative<read_on>(answer)) {
            BOOST_REQUIRE(!pending->caught_up());
            read(pick(bits, 1, 4));
            return true;
        }
        auto const when = std::get<wait_until>(answer).when;
        BOOST_REQUIRE(pending->caught_up());
        BOOST_REQUIRE((!when || *when > now));
        return false;
    }

    void open(cut const& window) {
        check_content(window);
        auto const id = window_id("g", 0, window);
        if (window.first >= 0) {
            // Delivered before, and not committed: the same messages again, for as long as the first one is open.
            auto const [known, fresh] = ids.try_emplace(window.first, id);
            auto const was_flushed = window.reason == window_reason::flush;
            if (!fresh && !was_flushed && floor == 0) BOOST_REQUIRE_EQUAL(known->second, id);
        }
        auto const handle = tracker->open(window);
        discarded.insert(discarded.end(), window.discarded.begin(), window.discarded.end());
        in_flight.emplace(handle, window);
        if (!window.rebuildable) save();
    }

    void check_content(cut const& window) const {
        auto const& parts = how.parts();
        auto const count = window.count();
        for (auto const& each : messages_of(window, 0)) {
            BOOST_REQUIRE_EQUAL(commits[static_cast<std::size_t>(each.offset())], 0);
        }
        if (window.reason == window_reason::count) BOOST_REQUIRE_EQUAL(count, parts.count.value());
        if (parts.count) BOOST_REQUIRE(count <= *parts.count);
        if (parts.max_bytes) BOOST_REQUIRE((count == 1 || window.bytes() <= *parts.max_bytes));
        if (!parts.fixed) return;
        std::int64_t uncommitted = 0;
        std::int64_t all = 0;
        for (std::size_t i = 0; i < created.size(); ++i) {
            if (created[i] < window.start || created[i] >= window.end) continue;
            if (commits[i] != lost) ++all;
            if (commits[i] == 0) ++uncommitted;
        }
        BOOST_REQUIRE_EQUAL(window.end - window.start, parts.fixed->interval.count());
        BOOST_REQUIRE_EQUAL(window.start % parts.fixed->interval.count(), 0);
        // Of what retention has removed nobody can tell any more whether it was empty.
        if (count == 0 && floor == 0) BOOST_REQUIRE_EQUAL(all, 0);
        if (window.reason == window_reason::time) BOOST_REQUIRE_EQUAL(count, uncommitted);
    }

    void commit_one() {
        if (in_flight.empty()) return;
        auto const at = std::next(in_flight.begin(), pick(bits, 0, std::ssize(in_flight) - 1));
        if (unsaved.contains(at->first)) return;
        if (pick(bits, 0, 9) == 0) return tracker->fail(at->first);
        tracker->commit(at->first);
        unsaved.insert(at->first);
    }

    void save() {
        auto const snapshot = tracker->snapshot();
        if (!unsaved.empty() && pick(bits, 0, 9) == 0) {  // failed for certain
            for (auto const each : unsaved) tracker->uncommit(each);
            unsaved.clear();
            return save();
        }
        check_forward(snapshot);
        saved = snapshot;
        for (auto const& each : discarded) count_commit(each);
        discarded.clear();
        for (auto const each : unsaved) {
            for (auto const& range : in_flight.at(each).offsets) count_commit(range);
            in_flight.erase(each);
        }
        if (pick(bits, 0, 19) == 0) return restart();  // killed before it knew
        for (auto const each : unsaved) tracker->saved(each);
        unsaved.clear();
    }

    void count_commit(store::offset_range const& range) {
        for (auto i = std::max(range.begin, floor_offset()); i < range.end; ++i) {
            BOOST_REQUIRE_EQUAL(++commits[static_cast<std::size_t>(i)], 1);
        }
    }

    void check_forward(store::progress const& next) const {
        BOOST_REQUIRE(next.low >= saved.low);
        BOOST_REQUIRE(next.low_number >= saved.low_number);
        if (saved.windows_end) BOOST_REQUIRE((next.windows_end && *next.windows_end >= *saved.windows_end));
        range_set done;
        done.add({-1, next.low});
        for (auto const& each : next.committed) {
            // It may begin right at low, while an empty window in between is open.
            BOOST_REQUIRE(each.begin >= next.low && (done.size() == 1 || !done.contains(each.begin - 1)));
            done.add(each);
        }
        for (auto const& each : saved.committed) BOOST_REQUIRE_EQUAL(done.count(each), each.end - each.begin);
        // The record that holds low, or one behind it that has nothing below.
        if (next.low_number < std::ssize(records)) {
            auto const& record = records[static_cast<std::size_t>(next.low_number)];
            BOOST_REQUIRE(record->first() <= next.low);
        } else {
            BOOST_REQUIRE_EQUAL(next.low, end);
        }
    }

    void event() {
        switch (pick(bits, 0, 9)) {
            case 0:
            case 1:
            case 2:
                append(pick(bits, 1, 12));
                break;
            case 3:
                now += pick(bits, 0, 60);
                break;
            case 4:
            case 5:
                commit_one();
                break;
            case 6:
                save();
                break;
            case 7:
                if (pick(bits, 0, 4) == 0) restart();
                if (retention && !records.empty() && pick(bits, 0, 4) == 0) retain();
                break;
            case 8:
                read(pick(bits, 1, 4));
                break;
            default:
                if (pending->next_number() < std::ssize(records)) pending->set_caught_up(false);
                for (int i = 0; i < 20 && in_flight.size() < in_flight_limit && deliver(); ++i) {
                }
        }
    }

    void drain() {
        for (int rounds = 0;; ++rounds) {
            BOOST_REQUIRE(rounds < 2000);
            read(1000);
            while (in_flight.size() < in_flight_limit && deliver()) {
            }
            if (in_flight.empty()) {
                auto const rest = plan->flush(*pending, now);
                if (std::holds_alternative<wait_until>(rest)) break;
                if (auto const* dropped = std::get_if<discard_only>(&rest)) {
                    tracker->discard(dropped->discarded);
                    discarded.insert(discarded.end(), dropped->discarded.begin(), dropped->discarded.end());
                } else if (auto const* window = std::get_if<cut>(&rest)) {
                    open(*window);
                }
            }
            while (!in_flight.empty() && unsaved.size() < in_flight.size()) commit_one();
            save();
        }
        if (!discarded.empty()) save();
        for (auto const each : commits) BOOST_REQUIRE((each == 1 || each == lost));
        save();
        BOOST_REQUIRE_EQUAL(saved.low, end);
        BOOST_REQUIRE(saved.committed.empty());
        BOOST_REQUIRE(saved.recorded.empty());
    }

    static constexpr int lost = 1000;  // in commits: removed by retention before

    random_bits bits;
    strategy how;
    std::vector<log::segment_ptr> records;
    std::vector<time_ms> created;
    std::vector<int> commits;  // of each message
    std::int64_t end = 0;
    std::int64_t floor = 0;  // number of the first record that is still there
    bool retention = false;
    time_ms now = 0;
    std::size_t in_flight_limit = 1;

    store::progress saved;
    std::unique_ptr<pending_log> pending;
    std::unique_ptr<progress_tracker> tracker;
    std::unique_ptr<planner> plan;
    std::map<progress_tracker::handle, cut> in_flight;
    std::set<progress_tracker::handle> unsaved;
    ranges discarded;
    std::map<std::int64_t, std::string> ids;
};

void run(strategy const& how, std::uint32_t seeds = 300, bool retention = false) {
    for (std::uint32_t seed = 1; seed <= seeds; ++seed) {
        BOOST_TEST_INFO_SCOPE("seed " << seed);
        world each(how, seed);
        each.retention = retention;
        for (int i = 0; i < 120; ++i) each.event();
        each.drain();
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(windowing_model)

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
        run(how, 100, true);
    }
}
BOOST_AUTO_TEST_CASE(custom) {
    run(custom_window([seed = 0U]() mutable { return std::make_unique<erratic>(++seed); }));
}

BOOST_AUTO_TEST_SUITE_END()
