#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <minibatch/document.hpp>
#include <ostream>
#include <vector>

BOOST_AUTO_TEST_SUITE(document_text)

namespace {

using minibatch::decode_document;
using minibatch::encode_document_text;
using minibatch::errc;

std::string nested(std::size_t arrays, std::string_view inner = "") {
    return R"({"a":)" + std::string(arrays, '[') + std::string(inner) + std::string(arrays, ']') + "}";
}

struct accepted_row {
    std::string text;
    std::string stored;
};
std::ostream& operator<<(std::ostream& out, accepted_row const& row) { return out << row.text.substr(0, 80); }

std::vector<accepted_row> const accepted = {
    {"{}", "{}"},
    {" \t\r\n{\"a\":1}\r\n ", "{\"a\":1}"},
    {"{\n  \"a\": 1,\r\n  \"b\": \"x\\ny\"\n}", "{   \"a\": 1,    \"b\": \"x\\ny\" }"},
    {R"({"a":9223372036854775807,"b":-9223372036854775808})", R"({"a":9223372036854775807,"b":-9223372036854775808})"},
    {R"({"a":-0,"b":0.1,"c":1E+5,"d":1e-999,"e":0e999})", R"({"a":-0,"b":0.1,"c":1E+5,"d":1e-999,"e":0e999})"},
    {R"({"a":1.7976931348623157e308})", R"({"a":1.7976931348623157e308})"},
    {R"({"a":18446744073709551616.0})", R"({"a":18446744073709551616.0})"},
    {R"({"a":"\u0000","b":"\ud83d\ude00"})", R"({"a":"\u0000","b":"\ud83d\ude00"})"},
    {"{\"é\":\"日本 😀 \xe2\x80\xa8\x7f\"}", "{\"é\":\"日本 😀 \xe2\x80\xa8\x7f\"}"},
    {R"({"":{"":[true,false,null]}})", R"({"":{"":[true,false,null]}})"},
    {R"({"a":1,"a":2})", R"({"a":1,"a":2})"},
    {nested(99), nested(99)},
};

BOOST_DATA_TEST_CASE(the_text_of_a_valid_document_is_kept, boost::unit_test::data::make(accepted), row) {
    auto const result = encode_document_text(row.text);
    BOOST_TEST_REQUIRE(!result.problem, result.problem.value_or(minibatch::error(errc::corrupt)).diagnostics());
    BOOST_TEST(result.text == row.stored);
    BOOST_TEST(decode_document(result.text).is_object());
}

struct refused_row {
    std::string text;
    std::string what;
};
std::ostream& operator<<(std::ostream& out, refused_row const& row) { return out << row.text.substr(0, 80); }

std::vector<refused_row> const refused = {
    // not an object
    {"", "the text is empty"},
    {" \n", "the text is empty"},
    {"[1]", "a document is a JSON object, this is an array"},
    {"17", "a document is a JSON object, this is a number"},
    {"1.5", "a document is a JSON object, this is a number"},
    {"\"x\"", "a document is a JSON object, this is a string"},
    {"true", "a document is a JSON object, this is a boolean"},
    {"null", "a document is a JSON object, this is null"},
    // numbers
    {R"({"reading":[0,[],{},{"unit":"K","value":18446744073709551615}]})",
     "at /reading/3/value: 18446744073709551615 does not fit a 64-bit signed integer"},
    {R"({"a":9223372036854775808})", "at /a: 9223372036854775808 does not fit a 64-bit signed integer"},
    {R"({"a":-9223372036854775809})", "at /a: -9223372036854775809 does not fit a 64-bit signed integer"},
    {R"({"a":[1, 18446744073709551616]})", "at /a/1: 18446744073709551616 does not fit a 64-bit signed integer"},
    {R"({"a":)" + std::string(400, '9') + "}",
     "at /a: " + std::string(40, '9') + "… does not fit a 64-bit signed integer"},
    {R"({"a":1e999})", "at /a: 1e999 does not fit a double-precision number"},
    {R"({"a":-1.5E+400})", "at /a: -1.5E+400 does not fit a double-precision number"},
    {R"({"a":1e99999999999999999999})", "at /a: the number does not fit a double-precision number"},
    {R"({"a":NaN})", "at byte 6, in /a: unexpected character 'N'"},
    {R"({"a":Infinity})", "at byte 6, in /a: unexpected character 'I'"},
    {R"({"a":01})", "at byte 7: unexpected character '1'"},
    {R"({"a":+1})", "at byte 6, in /a: unexpected character '+'"},
    // depth
    {nested(100), "at /a" +
                      [] {
                          std::string steps;
                          for (int i = 0; i < 99; ++i) steps += "/0";
                          return steps;
                      }() +
                      ": nested deeper than 100 levels"},
    // keys
    {R"({"o":{"a\u0000b":1}})", R"(at /o/a\u0000b: a key must not contain a NUL character)"},
    {R"({"a/b~c":{"x\ny":1e999}})", R"(at /a~1b~0c/x\u000ay: 1e999 does not fit a double-precision number)"},
    {R"({")" + std::string(70, 'k') + R"(":1e999})",
     "at /" + std::string(64, 'k') + "…: 1e999 does not fit a double-precision number"},
    // the place after values of every kind
    {R"({"a":{"b":1},"c":["x",true,null,1.5,2,{"d":[]},1e999]})",
     "at /c/6: 1e999 does not fit a double-precision number"},
    {R"({"a":[[1,2],[3,1e999]]})", "at /a/1/1: 1e999 does not fit a double-precision number"},
    // syntax
    {"{", "at byte 2: the text ends too early"},
    {R"({"a")", "at byte 5, in /a: the text ends too early"},
    {R"({"a":"x)", "at byte 8, in /a: the text ends too early"},
    {R"({"a":1,})", "at byte 8: unexpected character '}'"},
    {R"({"a":[1,]})", "at byte 9, in /a/1: unexpected character ']'"},
    {R"({a:1})", "at byte 2: unexpected character 'a'"},
    {R"({'a':1})", "at byte 2: unexpected character '''"},
    {R"({"a" 1})", "at byte 6, in /a: unexpected character '1'"},
    {R"({"a":1 "b":2})", "at byte 8: unexpected character '\"'"},
    {R"({"a":tru})", "at byte 6, in /a: unexpected character 't'"},
    {"{\"a\":\"x\ny\"}", "at byte 8, in /a: unexpected line break"},
    {"{\"a\":\"x\ty\"}", "at byte 8, in /a: unexpected character with the code 9"},
    {R"({"a":"\x"})", "at byte 8, in /a: unexpected character 'x'"},
    {R"({"a":1} // comment)", "at byte 9: more text after the document"},
    {R"({"a":1}{"a":2})", "at byte 8: more text after the document"},
    {std::string("{\"a\":1}\0", 8), "at byte 8: more text after the document"},
    {"  {\"a\":1}x ", "at byte 10: more text after the document"},
    {"\xef\xbb\xbf{}", "at byte 1: unexpected byte order mark"},
    // UTF-8: a lone trail byte, overlong, surrogate, above U+10FFFF, cut off
    {"{\"a\":\"x\x80\"}", "at byte 8, in /a: invalid UTF-8"},
    {"{\"a\":\"\xc0\xaf\"}", "at byte 7, in /a: invalid UTF-8"},
    {"{\"a\":\"\xed\xa0\x80\"}", "at byte 7, in /a: invalid UTF-8"},
    {"{\"a\":\"\xf4\x90\x80\x80\"}", "at byte 7, in /a: invalid UTF-8"},
    {"{\"a\":\"\xe2\x82\"}", "at byte 7, in /a: invalid UTF-8"},
    {"{\"\xff\":1}", "at byte 3: invalid UTF-8"},
};

BOOST_DATA_TEST_CASE(an_invalid_text_is_refused_with_the_place, boost::unit_test::data::make(refused), row) {
    auto const result = encode_document_text(row.text);
    BOOST_TEST_REQUIRE(result.problem.has_value());
    BOOST_TEST((result.problem->code() == errc::invalid_document));
    BOOST_TEST(result.problem->diagnostics() == row.what);
    BOOST_TEST(result.text.empty());
}

BOOST_AUTO_TEST_CASE(lone_surrogates_in_escapes_are_refused) {
    // The parser reads escapes another way near the end of the text: with and without more behind it.
    std::string const more = R"(,"b":"some more text")";
    for (auto const* text : {R"(\ud800)", R"(\uDBFFx)", R"(\udc00)", R"(\uDfFf)", R"(\ud800\ud800)", R"(\ud800\u0041)",
                             R"(\ud800\n)", R"(\\\ud800)"}) {
        for (auto const& rest : {std::string(), more}) {
            auto const json = R"({"a":")" + std::string(text) + "\"" + rest + "}";
            auto const result = encode_document_text(json);
            BOOST_TEST_REQUIRE(result.problem.has_value(), json);
            auto const place = text == std::string(R"(\\\ud800)") ? 9 : 7;
            BOOST_TEST(result.problem->diagnostics() ==
                           "at byte " + std::to_string(place) + ", in /a: a lone surrogate, which is no character",
                       json + ": " + result.problem->diagnostics());
        }
    }
}

BOOST_AUTO_TEST_CASE(other_mistakes_near_escapes_are_not_taken_for_lone_surrogates) {
    for (auto const* text : {"\\ud83d\\ude00\x01", "\\\\ud800\x01", "\\u0041\x01", "\\ud8\x01"}) {
        for (auto const* rest : {"\"}", "\",\"b\":\"some more text\"}"}) {
            auto const result = encode_document_text(R"({"a":")" + std::string(text) + rest);
            BOOST_TEST_REQUIRE(result.problem.has_value(), text);
            BOOST_TEST(result.problem->diagnostics().find("surrogate") == std::string::npos,
                       result.problem->diagnostics());
        }
    }
}

BOOST_AUTO_TEST_CASE(a_text_may_have_15_mib_without_the_space_around_it) {
    std::string text = R"({"a":")";
    text.append(minibatch::max_document_bytes - text.size() - 2, 'x');
    text += "\"}";
    BOOST_TEST(!encode_document_text(text + "\n").problem);
    text.insert(text.size() - 2, "x");
    auto const result = encode_document_text(text);
    BOOST_TEST_REQUIRE(result.problem.has_value());
    BOOST_TEST((result.problem->code() == errc::document_too_large));
}

BOOST_AUTO_TEST_CASE(an_error_leaves_no_trace_in_the_next_call) {
    BOOST_TEST(encode_document_text(R"({"a":[[[1e999)").problem.has_value());
    BOOST_TEST(!encode_document_text(R"({"b":1})").problem);
    BOOST_TEST(encode_document_text(R"({"b":1e999})").problem->diagnostics().starts_with("at /b: "));
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
