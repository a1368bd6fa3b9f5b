// What is refused on the way in and on the way out, and where it is said to be.
#include <boost/json.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <minibatch/document.hpp>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "bson/from_json.hpp"
#include "bson/to_json.hpp"

BOOST_AUTO_TEST_SUITE(bson_rules)

namespace {

namespace json = boost::json;
using minibatch::errc;
using minibatch::bson::document;
using minibatch::bson::from_json;
using minibatch::bson::from_value;
using minibatch::bson::to_json;
using minibatch::bson::to_value;
using namespace std::string_literals;

std::string nested(std::size_t depth, std::string_view inner = "{}") {
    std::string text;
    for (std::size_t i = 1; i < depth; ++i) text += R"({"a":)";
    return text + std::string(inner) + std::string(depth - 1, '}');
}

std::string steps(std::size_t n) {
    std::string pointer;
    for (std::size_t i = 0; i < n; ++i) pointer += "/a";
    return pointer;
}

template <class Action>
void check_refused(Action action, errc code, std::string const& what) {
    try {
        action();
        BOOST_ERROR("not refused: " + what);
    } catch (minibatch::error const& problem) {
        BOOST_TEST((problem.code() == code));
        BOOST_TEST(problem.diagnostics() == what);
    }
}

struct text_row {
    std::string json;
    std::string what;
};
std::ostream& operator<<(std::ostream& out, text_row const& row) { return out << row.json.substr(0, 80); }

std::vector<text_row> const refused_texts = {
    {"", "the text is empty"},
    {"[1]", "a document is a JSON object, this is an array"},
    {"1", "a document is a JSON object, this is a number"},
    {R"("x")", "a document is a JSON object, this is a string"},
    {R"({"a":[1,{"b":18446744073709551615}]})", "at /a/1/b: 18446744073709551615 does not fit a 64-bit signed integer"},
    {R"({"a":9223372036854775808})", "at /a: 9223372036854775808 does not fit a 64-bit signed integer"},
    {R"({"a":-9223372036854775809})", "at /a: -9223372036854775809 does not fit a 64-bit signed integer"},
    {R"({"a":{"b":[1e999]}})", "at /a/b/0: 1e999 does not fit a double-precision number"},
    {R"({"a":{"b\u0000c":1}})", R"(at /a/b\u0000c: a key must not contain a NUL character)"},
    {R"({"\u0000":1})", R"(at /\u0000: a key must not contain a NUL character)"},
    {"{\"a\":\"\xff\"}", "at byte 7, in /a: invalid UTF-8"},
    {"{\"a\":\"\xed\xa0\x80\"}", "at byte 7, in /a: invalid UTF-8"},
    {"{\"\xc0\x80\":1}", "at byte 3: invalid UTF-8"},
    {R"({"a":"\ud800"})", ""},
    {nested(101), "at " + steps(100) + ": nested deeper than 100 levels"},
    {nested(100, R"({"a":[]})"), "at " + steps(100) + ": nested deeper than 100 levels"},
    {R"({"a":1} x)", "at byte 9: more text after the document"},
    {R"({"a":1)", "at byte 7: the text ends too early"},
};

struct bson_row {
    std::string bytes;
    errc code;
    std::string what;
};
std::ostream& operator<<(std::ostream& out, bson_row const& row) { return out << row.what; }

/// A document with these fields.
std::string with(std::string const& fields) {
    auto const length = fields.size() + 5;
    std::string bytes;
    for (unsigned shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(length >> shift);
    return bytes + fields + '\0';
}
std::string field(char type, std::string const& value, std::string const& key = "v") {
    return type + key + '\0' + value;
}

std::vector<bson_row> const refused_bson = {
    {with(field(2, "\2\0\0\0\xff\0"s)), errc::corrupt, "at /v: the string is not valid UTF-8"},
    {with(field(3, with(field(10, "", "\xff")))), errc::corrupt, R"(at /v/\xff: the key is not valid UTF-8)"},
    {with(field(4, with(field(10, "", "0") + field(2, "\2\0\0\0\xff\0"s, "1")))), errc::corrupt,
     "at /v/1: the string is not valid UTF-8"},
    {with(field(13, "\2\0\0\0\xff\0"s)), errc::corrupt, "at /v: a text in the value is not valid UTF-8"},
    {with(field(14, "\2\0\0\0\xff\0"s)), errc::corrupt, "at /v: a text in the value is not valid UTF-8"},
    {with(field(11, "\xff\0\0"s)), errc::corrupt, "at /v: a text in the value is not valid UTF-8"},
    {with(field(11, "a\0\xff\0"s)), errc::corrupt, "at /v: a text in the value is not valid UTF-8"},
    {with(field(12, "\2\0\0\0\xff\0"s + std::string(12, 'x'))), errc::corrupt,
     "at /v: a text in the value is not valid UTF-8"},
    {with(field(15, "\x18\0\0\0\2\0\0\0x\0"s + with(field(2, "\2\0\0\0\xff\0"s)).substr(0, 14))), errc::corrupt,
     "at /v/$scope/v: the string is not valid UTF-8"},
    // damaged
    {with("\1"), errc::corrupt, "the BSON is damaged"},
    {with("\0"s), errc::corrupt, "the BSON is damaged"},
    {with("\0v\0"s), errc::corrupt, "the BSON is damaged"},
    {with(field(20, "")), errc::corrupt, "the BSON is damaged"},
    {with(field(1, "1234567")), errc::corrupt, "the BSON is damaged"},
    {with(field(16, "123")), errc::corrupt, "the BSON is damaged"},
    {with(field(8, "\2")), errc::corrupt, "the BSON is damaged"},
    {with(field(2, "\0\0\0\0"s)), errc::corrupt, "the BSON is damaged"},
    {with(field(2, "\2\0\0\0ab"s)), errc::corrupt, "the BSON is damaged"},
    {with(field(2, "\3\0\0\0a\0"s)), errc::corrupt, "the BSON is damaged"},
    {with(field(2, "\xff\xff\xff\xff\xff\0"s)), errc::corrupt, "the BSON is damaged"},
    {with(field(3, "\4\0\0\0\0"s)), errc::corrupt, "the BSON is damaged"},
    {with(field(3, with(field(1, "1")))), errc::corrupt, "at /v: the BSON is damaged"},
    {with(field(4, with("\1"))), errc::corrupt, "at /v: the BSON is damaged"},
    {with(field(5, "\xff\xff\xff\x7f\0"s)), errc::corrupt, "the BSON is damaged"},
    {with(field(5, "\5\0\0\0\2\2\0\0\0x"s)), errc::corrupt, "the BSON is damaged"},
    {with(field(5, "\1\0\0\0\2x"s)), errc::corrupt, "the BSON is damaged"},
    {with(field(7, "12345678901")), errc::corrupt, "the BSON is damaged"},
    {with(field(11, "a\0b"s)).substr(0, 0) + with(field(11, "a")), errc::corrupt, "the BSON is damaged"},
    {with(field(12, "\2\0\0\0x\0"s + std::string(11, 'x'))), errc::corrupt, "the BSON is damaged"},
    {with(field(15, "\x10\0\0\0\2\0\0\0x\0"s + with(""))), errc::corrupt, "the BSON is damaged"},
    {with(field(19, std::string(15, 'x'))), errc::corrupt, "the BSON is damaged"},
};

document copied(std::string const& bytes) {
    return document(std::span(reinterpret_cast<std::uint8_t const*>(bytes.data()), bytes.size()));
}

document deep(std::size_t depth, document inner) {
    for (std::size_t i = 1; i < depth; ++i) {
        document outer;
        BSON_APPEND_DOCUMENT(outer.get(), "a", inner.get());
        inner = std::move(outer);
    }
    return inner;
}

}  // namespace

BOOST_DATA_TEST_CASE(texts_against_the_rules_are_refused, boost::unit_test::data::make(refused_texts), row) {
    auto what = row.what;
    if (what.empty()) what = minibatch::encode_document_text(row.json).problem->diagnostics();
    check_refused([&] { (void)from_json(row.json); }, errc::invalid_document, what);
}

BOOST_AUTO_TEST_CASE(values_against_the_rules_are_refused) {
    json::value const not_finite = {{"a", {1.0, {{"b", HUGE_VAL}}}}};
    check_refused([&] { (void)from_value(not_finite); }, errc::invalid_document, "at /a/1/b: the number is not finite");
    json::value const with_nul = {{"a", {{"b\0"s, 1}}}};
    check_refused([&] { (void)from_value(with_nul); }, errc::invalid_document,
                  R"(at /a/b\u0000: a key must not contain a NUL character)");
    check_refused([] { (void)from_value(json::value(json::array{})); }, errc::invalid_document,
                  "a document is a JSON object, this is of the type array");
    auto const large = json::value{{"a", std::string(minibatch::max_document_bytes, 'x')}};
    check_refused([&] { (void)from_value(large); }, errc::document_too_large,
                  "the document is larger than 15 MiB (15728640 bytes) as JSON text");
    check_refused([&] { (void)from_json(json::serialize(large)); }, errc::document_too_large,
                  "the document is larger than 15 MiB (15728640 bytes) as JSON text");
}

BOOST_AUTO_TEST_CASE(values_come_back) {
    json::value const value = {{"a", {1, 1.0, -0.0, "x", nullptr, true}}, {"b", {{"$minKey", 1}}}, {"", {{"", 1}}}};
    BOOST_TEST(to_value(*from_value(value)) == value);
}

BOOST_AUTO_TEST_CASE(white_space_around_a_document_is_left_out) {
    BOOST_TEST(to_json(*from_json(" \n{ \"a\" :\r\n [ ] } ")) == R"({"a":[]})");
}

BOOST_AUTO_TEST_CASE(keys_that_are_there_twice_stay) {
    auto const made = from_json(R"({"b":1,"a":2,"b":3})");
    BOOST_TEST(to_json(*made) == R"({"b":1,"a":2,"b":3})");
    BOOST_TEST(to_value(*made) == (json::value{{"b", 3}, {"a", 2}}));
}

BOOST_AUTO_TEST_CASE(nesting_may_be_as_deep_as_in_a_document) {
    auto const deepest = nested(100);
    BOOST_TEST(to_json(*from_json(deepest)) == deepest);
    BOOST_TEST(to_json(*deep(100, {})) == deepest);
    check_refused([] { (void)to_json(*deep(101, {})); }, errc::invalid_document,
                  "at " + steps(100) + ": nested deeper than 100 levels");
}

BOOST_AUTO_TEST_CASE(wrappers_count_as_levels) {
    auto const in_depth = [](std::size_t depth, std::string_view value) {
        auto text = nested(depth, R"({"a":1})");
        return text.replace(text.find('1'), 1, value);
    };
    for (auto const& [value, levels] : std::vector<std::pair<std::string, std::size_t>>{
             {R"({"$oid":"0123456789abcdef01234567"})", 1},
             {R"({"$numberDouble":"NaN"})", 1},
             {R"({"$timestamp":{"t":1,"i":2}})", 2},
             {R"({"$date":{"$numberLong":"-1"}})", 2},
             {R"({"$code":"f","$scope":{}})", 2},
             {R"({"$dbPointer":{"$ref":"c","$id":{"$oid":"0123456789abcdef01234567"}}})", 3}}) {
        auto const deepest = in_depth(100 - levels, value);
        BOOST_TEST(to_json(*from_json(deepest)) == deepest);
        auto const inner = from_json(in_depth(1, value));
        document copy(inner.bytes());
        BOOST_CHECK_THROW((void)to_json(*deep(101 - levels, std::move(copy))), minibatch::error);
    }
    // This one would need another level on its way back, and so stays an object.
    auto const old_date = in_depth(99, R"({"$date":"1969-12-31T00:00:00Z"})");
    BOOST_TEST(to_json(*from_json(old_date)) == old_date);
}

BOOST_DATA_TEST_CASE(bson_that_cannot_be_understood_is_refused, boost::unit_test::data::make(refused_bson), row) {
    check_refused([&] { (void)to_json(*copied(row.bytes)); }, row.code, row.what);
}

BOOST_AUTO_TEST_CASE(bytes_that_are_no_document_are_refused) {
    for (auto const& bytes : {""s, "\5\0\0\0"s, "\6\0\0\0\0"s, "\5\0\0\0\1"s, "\4\0\0\0\0"s}) {
        BOOST_CHECK_THROW(copied(bytes), minibatch::error);
    }
}

BOOST_AUTO_TEST_CASE(what_other_programs_write_is_shown) {
    // regular expressions with any options, arrays with any keys
    BOOST_TEST(to_json(*copied(with(field(11, "a\0zg\0"s)))) ==
               R"({"v":{"$regularExpression":{"pattern":"a","options":"zg"}}})");
    BOOST_TEST(to_json(*copied(with(field(4, with(field(8, "\1", "x") + field(10, "", "x")))))) ==
               R"({"v":[true,null]})");
    BOOST_TEST(to_json(*copied(with(field(1, "\1\0\0\0\0\0\xf8\xff"s)))) == R"({"v":{"$numberDouble":"NaN"}})");
}

BOOST_AUTO_TEST_CASE(documents_move) {
    for (std::size_t const size : {0U, 10U, 1000U}) {
        auto original = from_value(json::value{{"a", std::string(size, 'x')}});
        auto const text = to_json(*original);
        document taken(std::move(original));
        BOOST_TEST(to_json(*taken) == text);
        BOOST_TEST(to_json(*original) == "{}");
        original = std::move(taken);
        BOOST_TEST(to_json(*original) == text);
        BOOST_TEST(to_json(*taken) == "{}");
    }
}

BOOST_AUTO_TEST_SUITE_END()
