#include <boost/test/unit_test.hpp>
#include <limits>

#include "store/time_arithmetic.hpp"
#include "store/validation.hpp"

using namespace minibatch::store;

BOOST_AUTO_TEST_SUITE(store_validation)

namespace {

constexpr auto least = std::numeric_limits<std::int64_t>::min();
constexpr auto most = std::numeric_limits<std::int64_t>::max();

/// The defect of `value` after `change`, empty if there is none.
template <class Value, class Change, class... Others>
std::string defect(Value value, Change change, Others const&... others) {
    change(value);
    return validation::defect_of(value, others...).value_or("");
}

log_state sound_log() {
    log_state log;
    log.floor = {2, 20};
    log.end = {7, 70};
    log.cleared = 10;
    log.last_created = 1'000;
    log.bytes = 500;
    return log;
}

group_state sound_group() {
    group_state group;
    group.state.low = 30;
    group.state.low_number = 3;
    group.state.committed = {{40, 50}};
    group.held = {"owner", "id", 4, 2'000};
    return group;
}

}  // namespace

BOOST_AUTO_TEST_CASE(accepts_what_stores_write) {
    auto const unchanged = [](auto&) {};
    BOOST_TEST(defect(validation::record_header{7, 70, 3, 1'000, 500, 30}, unchanged) == "");
    BOOST_TEST(defect(validation::record_header{7, 70, 0, 1'000, 500, 0}, unchanged, log_position{7, 70}) == "");
    BOOST_TEST(defect(stream_record{"s", 1, 1'024, {milliseconds(0), 0, 0}}, unchanged) == "");
    BOOST_TEST(defect(stream_record{"s", most, 1, {milliseconds::max(), most, most}}, unchanged) == "");
    BOOST_TEST(defect(sound_log(), unchanged) == "");
    BOOST_TEST(defect(log_state{}, unchanged) == "");
    BOOST_TEST(defect(sound_group(), unchanged, sound_log()) == "");
    BOOST_TEST(defect(group_state{}, unchanged, log_state{}) == "");
}

BOOST_AUTO_TEST_CASE(rejects_records_out_of_range) {
    using record = validation::record_header;
    for (auto const value : {least, std::int64_t{-1}, most}) {
        for (auto const field :
             {&record::number, &record::first, &record::count, &record::bytes_before, &record::bytes})
            BOOST_TEST(defect(record{}, [&](record& r) { r.*field = value; }) != "", value);
    }
    for (auto const value : {least, most}) BOOST_TEST(defect(record{}, [&](record& r) { r.created = value; }) != "");
    BOOST_TEST(defect(record{}, [](record& r) { r.number = 10'000'000'000'000; }) ==
               "its number is out of range: 10000000000000");
}

BOOST_AUTO_TEST_CASE(rejects_records_out_of_place) {
    validation::record_header const record{7, 70, 3, 0, 0, 0};
    for (auto const expected : {log_position{6, 70}, log_position{7, 69}, log_position{8, 70}})
        BOOST_TEST(validation::defect_of(record, expected).has_value());
    BOOST_TEST(validation::defect_of(record, {6, 60}).value() ==
               "the log continues with record 7 at offset 70 where record 6 at offset 60 is expected");
}

BOOST_AUTO_TEST_CASE(rejects_streams_out_of_range) {
    stream_record const sound{"s", 1, 1, {}};
    for (int const partitions : {-1, 0, 1'025})
        BOOST_TEST(defect(sound, [&](stream_record& s) { s.partitions = partitions; }) != "");
    BOOST_TEST(defect(sound, [](stream_record& s) { s.incarnation = 0; }) != "");
    for (auto const value : {least, std::int64_t{-1}}) {
        BOOST_TEST(defect(sound, [&](stream_record& s) { s.limits.max_age = milliseconds(value); }) != "");
        BOOST_TEST(defect(sound, [&](stream_record& s) { s.limits.max_messages = value; }) != "");
        BOOST_TEST(defect(sound, [&](stream_record& s) { s.limits.max_bytes = value; }) != "");
    }
}

BOOST_AUTO_TEST_CASE(rejects_logs_out_of_range) {
    for (auto const value : {least, std::int64_t{-1}, most}) {
        BOOST_TEST(defect(sound_log(), [&](log_state& log) { log.floor.number = value; }) != "", value);
        BOOST_TEST(defect(sound_log(), [&](log_state& log) { log.floor.offset = value; }) != "", value);
        BOOST_TEST(defect(sound_log(), [&](log_state& log) { log.end.number = value; }) != "", value);
        BOOST_TEST(defect(sound_log(), [&](log_state& log) { log.end.offset = value; }) != "", value);
        BOOST_TEST(defect(sound_log(), [&](log_state& log) { log.cleared = value; }) != "", value);
        BOOST_TEST(defect(sound_log(), [&](log_state& log) { log.bytes = value; }) != "", value);
    }
    BOOST_TEST(defect(sound_log(), [](log_state& log) { log.last_created = most; }) != "");
    BOOST_TEST(defect(sound_log(), [](log_state& log) { log.floor.number = 8; }) != "");
    BOOST_TEST(defect(sound_log(), [](log_state& log) { log.floor.offset = 71; }) != "");
    BOOST_TEST(defect(sound_log(), [](log_state& log) { log.cleared = 71; }) != "");
}

BOOST_AUTO_TEST_CASE(rejects_groups_out_of_range) {
    auto const rejected = [](auto change) { return defect(sound_group(), change, sound_log()) != ""; };
    for (auto const value : {least, std::int64_t{-1}, most}) {
        BOOST_TEST(rejected([&](group_state& g) { g.state.low = value; }), value);
        BOOST_TEST(rejected([&](group_state& g) { g.state.low_number = value; }), value);
        BOOST_TEST(rejected([&](group_state& g) { g.state.lost = value; }), value);
        BOOST_TEST(rejected([&](group_state& g) { g.held.epoch = value; }), value);
    }
    for (auto const value : {least, most}) {
        BOOST_TEST(rejected([&](group_state& g) { g.state.start_time = value; }), value);
        BOOST_TEST(rejected([&](group_state& g) { g.state.windows_end = value; }), value);
        BOOST_TEST(rejected([&](group_state& g) { g.held.expires = value; }), value);
        BOOST_TEST(rejected([&](group_state& g) { g.state.windows_done = {{0, value}}; }), value);
        BOOST_TEST(rejected([&](group_state& g) { g.state.recorded = {{{}, 0, value, {}, {}}}; }), value);
        BOOST_TEST(rejected([&](group_state& g) { g.state.recorded = {{{}, 0, 1, {}, value}}; }), value);
        BOOST_TEST(rejected([&](group_state& g) { g.state.recorded = {{{{0, value}}, 0, 1, {}, {}}}; }), value);
        BOOST_TEST(rejected([&](group_state& g) { g.state.empty_failures = {{value, 1}}; }), value);
        BOOST_TEST(rejected([&](group_state& g) { g.state.failures = {{value, 1}}; }), value);
    }
    BOOST_TEST(rejected([](group_state& g) { g.state.takeovers = -1; }));
    BOOST_TEST(rejected([](group_state& g) { g.state.takeovers = std::numeric_limits<int>::max(); }));
    BOOST_TEST(rejected([](group_state& g) { g.state.low = 71; }));
    BOOST_TEST(rejected([](group_state& g) { g.state.low_number = 8; }));
    BOOST_TEST(rejected([](group_state& g) { g.state.committed = {{40, 71}}; }));
}

BOOST_AUTO_TEST_CASE(rejects_reads_with_gaps) {
    using minibatch::log::segment;
    using minibatch::log::segment_ptr;
    auto const record = [](std::int64_t number, std::int64_t first) -> segment_ptr {
        auto const text = std::make_shared<std::string const>("[{},\n{}]");
        return std::make_shared<segment const>(number, first, 2, 1'000, text);
    };
    auto log = sound_log();
    log.floor = {2, 20};
    log.end = {5, 26};
    auto const read = [&](std::vector<segment_ptr> const& records, std::int64_t from) {
        return validation::defect_of(records, log, from).value_or("");
    };
    BOOST_TEST(read({record(2, 20), record(3, 22), record(4, 24)}, 0) == "");
    BOOST_TEST(read({record(3, 22)}, 3) == "");
    BOOST_TEST(read({}, 5) == "");
    BOOST_TEST(read({}, 3) == "record 3 is missing");
    BOOST_TEST(read({record(3, 22)}, 2) != "");
    BOOST_TEST(read({record(2, 21)}, 0) != "");
    BOOST_TEST(read({record(2, 20), record(4, 22)}, 0) != "");
    BOOST_TEST(read({record(2, 20), record(3, 23)}, 0) != "");
    BOOST_TEST(read({record(2, 20), record(2, 20)}, 0) != "");
    BOOST_TEST(read({record(4, 25)}, 4) != "");
    BOOST_TEST(read({record(5, 26)}, 5) != "");
}

BOOST_AUTO_TEST_CASE(names_records) {
    BOOST_TEST(validation::record_name("s", 2, 17) == "stream 's', partition 2, record 17");
    BOOST_TEST(validation::group_name("s", 2, "g") == "stream 's', partition 2, group 'g'");
}

BOOST_AUTO_TEST_CASE(time_arithmetic_saturates) {
    using std::chrono::hours;
    static_assert(saturating_sum(most, 1) == most && saturating_sum(least, -1) == least && saturating_sum(2, -3) == -1);
    static_assert(saturating_difference(least, 1) == least && saturating_difference(most, -1) == most);
    static_assert(saturating_difference(2, 3) == -1);
    auto const now = std::chrono::steady_clock::now();
    BOOST_TEST((after(now, milliseconds(5)) == now + milliseconds(5)));
    BOOST_TEST((after(now, milliseconds::max()) == steady_time::max()));
    BOOST_TEST((after(now, milliseconds::min()) < now));
    BOOST_TEST((after(now, hours(24 * 365 * 100)) == now + hours(24 * 365 * 100)));
    BOOST_TEST((after(now, hours(24 * 365 * 400)) == steady_time::max()));
}

BOOST_AUTO_TEST_SUITE_END()
