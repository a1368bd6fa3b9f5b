// What happens in a random history. What must hold is in windowing_world_checks.cpp.

#include "windowing_world.hpp"

#include <boost/test/unit_test.hpp>

namespace windowing_test {

world::world(strategy const& strategy_, std::uint32_t seed, chances what_may_happen)
    : bits(seed), how(strategy_), may(what_may_happen) {
    clock = pick(bits, 1000, 5000);
    saved.start_time = clock;
    in_flight_limit = static_cast<std::size_t>(pick(bits, 1, 4));
    restart();
}

void world::restart() {
    pending = std::make_unique<pending_log>(saved);
    tracker = std::make_unique<progress_tracker>(saved);
    plan = std::make_unique<planner>(how, saved, 0);
    in_flight.clear();
    unsaved.clear();
    discarded.clear();
    if (saved.low < floor_offset()) apply_floor();
}

// Retention removes records whether they are committed or not.
void world::retain() {
    auto const before = floor;
    floor += pick(bits, 0, (std::ssize(records) - 1 - floor) / 2);
    for (std::int64_t i = 0; i < floor_offset(); ++i) {
        if (auto& each = commits[static_cast<std::size_t>(i)]; each == 0) each = lost;
    }
    if (floor > before && tracker->low() < floor_offset()) apply_floor();
}

void world::apply_floor() {
    tracker->retention_floor(floor_offset(), floor, 0);
    auto const times = pending->drop_below(floor_offset(), records[static_cast<std::size_t>(floor)]->created());
    if (how.parts().fixed) tracker->times_removed(times);
}

void world::append(std::int64_t count) {
    auto const stamp = now().stamp;
    records.push_back(
        make_segment(std::ssize(records), end, count, stamp, static_cast<std::size_t>(pick(bits, 2, 40))));
    end += count;
    created.insert(created.end(), static_cast<std::size_t>(count), stamp);
    commits.resize(static_cast<std::size_t>(end), 0);
}

void world::read(std::int64_t most) {
    for (; most > 0 && pending->next_number() < std::ssize(records); --most) {
        auto const& record = records[static_cast<std::size_t>(std::max(pending->next_number(), floor))];
        tracker->note_record(*record);
        pending->feed(record, arrival(record->created(), now(), std::nullopt));
    }
    pending->set_caught_up(pending->next_number() == std::ssize(records));
}

// Returns false if there is nothing to do before time passes or something arrives.
bool world::act_on(step answer) {
    if (auto* window = std::get_if<cut>(&answer)) return open(*window), true;
    if (auto* dropped = std::get_if<discard_only>(&answer)) {
        tracker->discard(dropped->discarded);
        discarded.insert(discarded.end(), dropped->discarded.begin(), dropped->discarded.end());
        return true;
    }
    if (auto* seal = std::get_if<seal_until>(&answer)) {
        BOOST_REQUIRE(seal->time <= now().stamp);
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
    auto const [when, by] = std::get<wait_until>(answer);
    BOOST_REQUIRE(pending->caught_up());
    BOOST_REQUIRE((!when || *when > (by == timeline::steady ? steady : now().stamp)));
    if (!how.parts().fixed) BOOST_REQUIRE((by == timeline::steady));
    return false;
}

void world::open(cut const& window) {
    check_not_committed(window);
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

void world::commit_one() {
    if (in_flight.empty()) return;
    auto const at = std::next(in_flight.begin(), pick(bits, 0, std::ssize(in_flight) - 1));
    if (unsaved.contains(at->first)) return;
    if (pick(bits, 0, 9) == 0) return tracker->fail(at->first);
    tracker->commit(at->first);
    unsaved.insert(at->first);
}

void world::save() {
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
        committed_ids.insert(window_id("g", 0, in_flight.at(each)));
        for (auto const& range : in_flight.at(each).offsets) count_commit(range);
        in_flight.erase(each);
    }
    if (pick(bits, 0, 19) == 0) return restart();  // killed before it knew
    for (auto const each : unsaved) tracker->saved(each);
    unsaved.clear();
}

void world::count_commit(store::offset_range const& range) {
    for (auto i = std::max(range.begin, floor_offset()); i < range.end; ++i) {
        BOOST_REQUIRE_EQUAL(++commits[static_cast<std::size_t>(i)], 1);
    }
}

void world::pass(time_ms span) {
    steady += span;
    clock += span;
    if (may.clock_jumps && pick(bits, 0, 2) == 0) clock += pick(bits, -400, 400);
}

void world::event() {
    switch (pick(bits, 0, 9)) {
        case 0:
        case 1:
        case 2:
            append(pick(bits, 1, 12));
            break;
        case 3:
            pass(pick(bits, 0, 60));
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
            if (may.retention && !records.empty() && pick(bits, 0, 4) == 0) retain();
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

void world::drain() {
    for (int rounds = 0;; ++rounds) {
        BOOST_REQUIRE(rounds < 2000);
        read(1000);
        while (in_flight.size() < in_flight_limit && deliver()) {
        }
        if (in_flight.empty() && !act_on(plan->flush(*pending, now()))) break;
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

}  // namespace windowing_test
