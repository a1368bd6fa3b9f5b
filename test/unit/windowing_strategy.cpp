#include <boost/test/unit_test.hpp>

#include "windowing_support.hpp"

using namespace windowing_test;  // NOLINT(google-build-using-namespace)

BOOST_AUTO_TEST_SUITE(windowing_strategy)

namespace {

struct nothing_ready : window_emitter {
    readiness window_ready(std::span<message const>, time_point) override { return {}; }
};

}  // namespace

BOOST_AUTO_TEST_CASE(triggers_compose_in_any_order) {
    auto const how = max_age(milliseconds(200)) || count_window(500) || max_bytes(1 << 20);
    BOOST_TEST(how.parts().count.value() == 500);
    BOOST_TEST((how.parts().max_age == milliseconds(200)));
    BOOST_TEST(how.parts().max_bytes.value() == 1 << 20);
    auto const timed = relaxed_time_window(milliseconds(50)) || count_window(3) || max_bytes(9);
    BOOST_TEST(timed.parts().relaxed.has_value());
}

BOOST_AUTO_TEST_CASE(what_makes_no_sense_is_refused) {
    auto const invalid = fails_with(errc::invalid_argument);
    auto const second = milliseconds(1000);
    auto const custom = strategy(std::make_shared<nothing_ready>());
    BOOST_CHECK_EXCEPTION(count_window(0), error, invalid);
    BOOST_CHECK_EXCEPTION(count_window(-3), error, invalid);
    BOOST_CHECK_EXCEPTION(max_bytes(0), error, invalid);
    BOOST_CHECK_EXCEPTION(max_age(milliseconds(0)), error, invalid);
    BOOST_CHECK_EXCEPTION(max_age(milliseconds::max()), error, invalid);
    BOOST_CHECK_EXCEPTION(fixed_time_window(milliseconds(-1)), error, invalid);
    BOOST_CHECK_EXCEPTION(fixed_time_window(second, {.offset = {}, .max_empty = -1}), error, invalid);
    BOOST_CHECK_EXCEPTION(relaxed_time_window(milliseconds(0)), error, invalid);
    BOOST_CHECK_EXCEPTION(count_window(1) || count_window(2), error, invalid);
    BOOST_CHECK_EXCEPTION(fixed_time_window(second) || count_window(2), error, invalid);
    BOOST_CHECK_EXCEPTION(max_age(second) || fixed_time_window(second), error, invalid);
    BOOST_CHECK_EXCEPTION(fixed_time_window(second) || relaxed_time_window(second), error, invalid);
    BOOST_CHECK_EXCEPTION(relaxed_time_window(second) || relaxed_time_window(second), error, invalid);
    BOOST_CHECK_EXCEPTION(custom || max_bytes(9), error, invalid);
    BOOST_CHECK_EXCEPTION(custom_window(std::shared_ptr<window_emitter>()), error, invalid);
    BOOST_CHECK_EXCEPTION(custom_window(std::function<std::unique_ptr<window_emitter>()>()), error, invalid);
}

BOOST_AUTO_TEST_CASE(an_emitter_is_a_strategy) {
    auto const takes_strategy = [](strategy const& how) { return how.parts().custom != nullptr; };
    BOOST_TEST(takes_strategy(std::make_shared<nothing_ready>()));
    int made = 0;
    auto const factory = custom_window([&made] {
        ++made;
        return std::make_unique<nothing_ready>();
    });
    planner const one(factory, {}, 0);
    planner const other(factory, {}, 1);
    BOOST_TEST(made == 2);
    BOOST_TEST((one.emitter() != other.emitter()));
    auto const broken = custom_window([] { return std::unique_ptr<window_emitter>(); });
    BOOST_CHECK_EXCEPTION(planner(broken, {}, 0), error, fails_with(errc::emitter_failed));
}

BOOST_AUTO_TEST_CASE(a_message_outlives_its_segment) {
    std::vector<message> messages;
    {
        auto text = std::make_shared<std::string const>("[{\"n\":1},\n{\"n\":2}]");
        auto const record = std::make_shared<log::segment const>(0, 5, 2, 77, text);
        append_messages({record, 0, 2}, 3, messages);
    }
    BOOST_REQUIRE(messages.size() == 2);
    BOOST_TEST(messages[1].offset() == 6);
    BOOST_TEST(messages[1].partition() == 3);
    BOOST_TEST(messages[1].created().time_since_epoch().count() == 77);
    BOOST_TEST(messages[1].text() == "{\"n\":2}");
    BOOST_TEST(messages[1].data().at("n").as_int64() == 2);
    nothing_ready emitter;
    BOOST_TEST(emitter.query(messages).size() == 2u);
    message const broken(0, {}, 0, "{", nullptr);
    BOOST_CHECK_EXCEPTION(broken.data(), error, fails_with(errc::corrupt));
}

BOOST_AUTO_TEST_CASE(ids_follow_the_rule) {
    auto const record = make_segment(0, 10, 5, 1000);
    BOOST_TEST(window_id("g", 2, make_cut({{record, 1, 4}}, window_reason::count, true)) == "g/2/11-13");
    cut empty;
    empty.start = 4000;
    BOOST_TEST(window_id("g", 0, empty) == "g/0/@4000");
    auto const shuffled = make_cut({{record, 3, 5}, {record, 0, 1}}, window_reason::custom, false);
    BOOST_TEST(window_id("g", 0, shuffled) == "g/0/10-14");
    BOOST_TEST((shuffled.offsets == ranges{{13, 15}, {10, 11}}));
    BOOST_TEST(shuffled.count() == 3);
    BOOST_TEST(shuffled.bytes() == 30);
}

BOOST_AUTO_TEST_SUITE_END()
