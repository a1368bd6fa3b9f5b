#include <boost/json.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <minibatch/document.hpp>
#include <ostream>
#include <random>
#include <vector>

#include "document/utf8.hpp"

BOOST_AUTO_TEST_SUITE(document_value)

namespace {

namespace json = boost::json;
using minibatch::decode_document;
using minibatch::encode_document;
using minibatch::errc;

json::value nested(std::size_t depth) {
    json::value value = json::object{};
    for (std::size_t i = 1; i < depth; ++i) value = json::object{{"a", std::move(value)}};
    return value;
}

std::vector<json::value> const accepted = {
    json::object{},
    {{"int", std::numeric_limits<std::int64_t>::min()}, {"max", std::numeric_limits<std::int64_t>::max()}},
    {{"unsigned", std::uint64_t{9223372036854775807U}}},
    {{"double", 0.1 + 0.2}, {"largest", std::numeric_limits<double>::max()}, {"tiny", 5e-324}, {"zero", -0.0}},
    {{"text", "line\nbreak \"quoted\" \\ \x01 日本 😀"}, {"nul", std::string(1, '\0')}, {"", nullptr}},
    {{"list", {1, "two", true, nullptr, json::object{{"deep", json::array{}}}}}},
    nested(100),
    json::object{{"long", std::string(100'000, 'x')}, {"numbers", json::array(20'000, 1.5)}},
};

BOOST_DATA_TEST_CASE(a_valid_document_comes_back, boost::unit_test::data::make(accepted), document) {
    auto const result = encode_document(document);
    BOOST_TEST_REQUIRE(!result.problem);
    BOOST_TEST(result.text.find_first_of("\r\n") == std::string::npos);
    BOOST_TEST(decode_document(result.text) == document);
    BOOST_TEST(!minibatch::encode_document_text(result.text).problem);
}

struct refused_row {
    json::value document;
    std::string what;
};
std::ostream& operator<<(std::ostream& out, refused_row const& row) { return out << row.what; }

std::vector<refused_row> const refused = {
    {json::array{1}, "a document is a JSON object, this is of the type array"},
    {nullptr, "a document is a JSON object, this is of the type null"},
    {"text", "a document is a JSON object, this is of the type string"},
    {{{"reading", {0, 1, 2, {{"value", std::numeric_limits<std::uint64_t>::max()}}}}},
     "at /reading/3/value: 18446744073709551615 does not fit a 64-bit signed integer"},
    {{{"a", std::nan("")}}, "at /a: the number is not finite (NaN)"},
    {{{"a", {1.0, -std::numeric_limits<double>::infinity()}}}, "at /a/1: the number is not finite"},
    {{{"ok", 1}, {"o", {{std::string("a\0b", 3), 1}}}}, R"(at /o/a\u0000b: a key must not contain a NUL character)"},
    {json::object{{"a\xff", 1}}, R"(at /a\xff: the key is not valid UTF-8)"},
    {json::object{{"a", "\xed\xa0\x80"}}, "at /a: the string is not valid UTF-8"},
    {nested(101), "at " +
                      [] {
                          std::string steps;
                          for (int i = 0; i < 100; ++i) steps += "/a";
                          return steps;
                      }() +
                      ": nested deeper than 100 levels"},
};

BOOST_DATA_TEST_CASE(an_invalid_document_is_refused_with_the_place, boost::unit_test::data::make(refused), row) {
    auto const result = encode_document(row.document);
    BOOST_TEST_REQUIRE(result.problem.has_value());
    BOOST_TEST((result.problem->code() == errc::invalid_document));
    BOOST_TEST(result.problem->diagnostics() == row.what);
    BOOST_TEST(result.text.empty());
}

BOOST_AUTO_TEST_CASE(a_document_may_have_15_mib) {
    json::value document = json::object{{"a", std::string(minibatch::max_document_bytes - 8, 'x')}};
    BOOST_TEST(encode_document(document).text.size() == minibatch::max_document_bytes);
    document.as_object()["a"].as_string().push_back('x');
    auto const result = encode_document(document);
    BOOST_TEST_REQUIRE(result.problem.has_value());
    BOOST_TEST((result.problem->code() == errc::document_too_large));
    BOOST_TEST(result.text.empty());
}

BOOST_AUTO_TEST_CASE(doubles_come_back_bit_for_bit) {
    std::mt19937_64 random(7);
    std::uniform_real_distribution<double> magnitude(-300, 300);
    for (int i = 0; i < 20'000; ++i) {
        double const number = std::pow(10.0, magnitude(random));
        auto const text = encode_document(json::object{{"a", number}}).text;
        BOOST_TEST_REQUIRE(decode_document(text).at("a").as_double() == number, text);
    }
}

BOOST_AUTO_TEST_CASE(a_damaged_text_is_reported_as_corrupt) {
    for (auto const* text : {"", "{", R"({"a":1}})", R"({"a" 1})"}) {
        BOOST_CHECK_EXCEPTION((void)decode_document(text), minibatch::error,
                              [](auto const& e) { return e.code() == errc::corrupt; });
    }
}

BOOST_AUTO_TEST_CASE(decoding_uses_the_storage_given) {
    json::monotonic_resource memory;
    auto const value = decode_document(R"({"a":[1,2]})", &memory);
    BOOST_TEST(value.storage().get() == &memory);
}

BOOST_AUTO_TEST_CASE(utf8_rules) {
    using minibatch::document::is_utf8;
    for (auto const* text : {"", "ascii", "é", "\xf4\x8f\xbf\xbf", "long ascii text, then é", "日本語日本語日本語x"}) {
        BOOST_TEST(is_utf8(text), text);
    }
    for (auto const* text : {"\x80", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xbf\xbf", "\xf4\x90\x80\x80",
                             "\xf8\x88\x80\x80\x80", "\xff", "twelve ascii\xe2\x82", "\xe2(\xa1"}) {
        BOOST_TEST(!is_utf8(text));
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
