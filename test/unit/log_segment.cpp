#include "log/segment.hpp"

#include <boost/test/unit_test.hpp>
#include <minibatch/error.hpp>

using minibatch::errc;
using minibatch::error;
using minibatch::log::segment;
using minibatch::log::segment_text;

BOOST_AUTO_TEST_SUITE(log_segment)

namespace {

segment read(std::string text, std::int64_t count) {
    return {7, 100, count, 5, std::make_shared<std::string const>(std::move(text))};
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_is_put_together_is_read_back) {
    segment_text text;
    BOOST_TEST(text.empty());
    text.add(R"({"a":1})");
    text.add("{}");
    segment_text more;
    more.add(R"({"b":[1,2]})");
    text.add(std::move(more));
    text.add(segment_text{});
    auto const size = text.size();
    BOOST_TEST(text.count() == 3);
    auto const finished = text.finish();
    BOOST_TEST(finished == "[{\"a\":1},\n{},\n{\"b\":[1,2]}]");
    BOOST_TEST(finished.size() == size);
    BOOST_TEST(text.empty());

    auto const record = read(finished, 3);
    BOOST_TEST(record.first() == 100);
    BOOST_TEST(record.end() == 103);
    BOOST_TEST(record.document(0) == R"({"a":1})");
    BOOST_TEST(record.document(1) == "{}");
    BOOST_TEST(record.document(2) == R"({"b":[1,2]})");
    BOOST_TEST(record.documents(1, 3) == "{},\n{\"b\":[1,2]}");
    BOOST_TEST(record.documents(1, 1).empty());
}

BOOST_AUTO_TEST_CASE(added_to_an_empty_text_the_other_is_moved) {
    segment_text text;
    segment_text other;
    other.add("{}");
    text.add(std::move(other));
    BOOST_TEST(text.finish() == "[{}]");
}

BOOST_AUTO_TEST_CASE(lines_are_split_into_documents) {
    segment_text text;
    BOOST_TEST(text.lines().empty());
    BOOST_TEST(minibatch::log::split(text.lines()).empty());
    text.add("{}");
    text.add(R"({"a":"x,y"})");
    std::vector<std::string_view> const expected{"{}", R"({"a":"x,y"})"};
    BOOST_TEST(minibatch::log::split(text.lines()) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_control_record_has_no_text) {
    segment const record(3, 50, 0, 9, nullptr);
    BOOST_TEST(record.end() == 50);
    BOOST_TEST(record.bytes() == 0u);
}

BOOST_AUTO_TEST_CASE(damaged_texts_are_refused) {
    struct row {
        char const* text;
        std::int64_t count;
    };
    for (auto const& each : {row{"", 1}, row{"[]", 1}, row{"[{}", 1}, row{"{}]", 1}, row{"[{}]", 2},
                             row{"[{},\n{}]", 1}, row{"[{}\n\n{}]", 2}, row{"[{},\n]", 2}, row{"[{},\n\n{}]", 3},
                             row{"[1,\n2]", 2}, row{"[{},\n{}]\n", 2}, row{"[{}]", 1'000'000'000}, row{"[{}]", -1}}) {
        BOOST_CHECK_EXCEPTION(read(each.text, each.count), error,
                              [](error const& failure) { return failure.code() == errc::corrupt; });
    }
}

BOOST_AUTO_TEST_SUITE_END()
