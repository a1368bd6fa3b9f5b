#include "tool/key_field.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <ostream>
#include <stdexcept>
#include <vector>

BOOST_AUTO_TEST_SUITE(tool_key_field)

namespace {

using minibatch::tool::key_field;

struct key_row {
    std::string field;
    std::string document;
    std::string key;
};
std::ostream& operator<<(std::ostream& out, key_row const& each) {
    return out << each.field << " of " << each.document;
}

std::vector<key_row> const rows = {
    {"a", R"({"a":"x"})", "x"},
    {"a", R"({"b":1,"a":"x","c":2})", "x"},
    {"a", R"({ "a" : "\u00e4\n\"\\" })", "ä\n\"\\"},
    {"a", R"({"a":"x\u0000y"})", std::string("x\0y", 3)},
    // as it stands in the line
    {"a", R"({"a":1.50})", "1.50"},
    {"a", R"({"a":-0})", "-0"},
    {"a", R"({"a":1E2})", "1E2"},
    {"a", R"({"a":9223372036854775807})", "9223372036854775807"},
    {"a", R"({"a":true})", "true"},
    {"a", R"({"a":false})", "false"},
    // absent
    {"a", R"({})", ""},
    {"a", R"({"b":{"a":1},"c":[{"a":2}]})", ""},
    {"a", R"({"a":null})", ""},
    {"a", R"({"a":""})", ""},
    {"a.b", R"({"a":{"b":1}})", ""},
    {"a.b", R"({"a.b":1})", "1"},
    // the last one of several
    {"a", R"({"a":1,"a":2})", "2"},
    {"a", R"({"a":1,"a":null})", ""},
    {"/a/b", R"({"a":{"b":1},"a":{"c":2}})", ""},
    {"/a/b", R"({"a":{"c":2},"a":{"b":1}})", "1"},
    // pointers
    {"/a", R"({"a":1})", "1"},
    {"/a/b", R"({"b":0,"a":{"a":0,"b":1,"c":{"b":2}},"c":{"b":3}})", "1"},
    {"/a/b/c", R"({"a":{"b":{"c":"deep"}}})", "deep"},
    {"/a/b/c", R"({"a":{"b":"c"}})", ""},
    {"/a/1", R"({"a":[10,11,12]})", "11"},
    {"/a/0", R"({"a":[10]})", "10"},
    {"/a/1/b", R"({"a":[{"b":1},{"b":2}]})", "2"},
    {"/a/1/0", R"({"a":[[1,2],[3,4],[5]]})", "3"},
    {"/a/3", R"({"a":[10,11,12]})", ""},
    {"/a/1", R"({"a":{"1":"name"}})", "name"},
    {"/a/00", R"({"a":[10]})", ""},
    {"/a~1b/~0", R"({"a/b":{"~":1}})", "1"},
    {"/~01", R"({"~1":1})", "1"},
    {"/", R"({"":1})", "1"},
    {"/a/", R"({"a":{"":1}})", "1"},
};

BOOST_DATA_TEST_CASE(a_key_is_read, boost::unit_test::data::make(rows), each) {
    auto const found = key_field(each.field).read(each.document);
    BOOST_TEST(found.key == each.key);
    BOOST_TEST(found.problem.empty());
}

BOOST_AUTO_TEST_CASE(objects_and_arrays_are_no_keys) {
    for (auto const* document : {R"({"a":{"b":1},"c":2})", R"({"a":{}})"})
        BOOST_TEST(key_field("a").read(document).problem.starts_with("the key is an object"));
    for (auto const* document : {R"({"a":[1,2]})", R"({"a":1,"a":[]})"})
        BOOST_TEST(key_field("/a").read(document).problem.starts_with("the key is an array"));
    auto const later = key_field("a").read(R"({"a":[],"a":1})");
    BOOST_TEST(later.key == "1");
    BOOST_TEST(later.problem.empty());
}

BOOST_AUTO_TEST_CASE(fields_that_cannot_be_read) {
    for (auto const* text : {"", "/a~", "/a~2b", "/~"}) BOOST_CHECK_THROW(key_field{text}, std::invalid_argument);
    BOOST_TEST(key_field("a~").read(R"({"a~":1})").key == "1");
}

BOOST_AUTO_TEST_CASE(how_a_field_is_named) {
    BOOST_TEST(key_field("a").pointer() == "/a");
    BOOST_TEST(key_field("/a/b").pointer() == "/a/b");
    BOOST_TEST(key_field("a.b").looks_like_path());
    BOOST_TEST(!key_field("/a.b").looks_like_path());
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
