// Each type of BSON and its form in JSON, both ways.
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <minibatch/document.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "bson/from_json.hpp"
#include "bson/to_json.hpp"

BOOST_AUTO_TEST_SUITE(bson_types)

namespace {

using minibatch::bson::document;
using minibatch::bson::from_json;
using minibatch::bson::to_json;

std::string in_field(std::string_view value) { return R"({"v":)" + std::string(value) + "}"; }

std::string bytes_of(document const& document) {
    return {reinterpret_cast<char const*>(document.bytes().data()), document.bytes().size()};
}

bool is_valid(document const& document) {
    return bson_validate(document.get(),
                         static_cast<bson_validate_flags_t>(BSON_VALIDATE_UTF8 | BSON_VALIDATE_UTF8_ALLOW_NULL),
                         nullptr);
}

using add = void (*)(bson_t*);

struct row {
    std::string json;  // of the value of the field "v"
    add append;        // the same by libbson
    std::string back;  // as it comes back; empty when it is the same
    bool same_type = true;
};
std::ostream& operator<<(std::ostream& out, row const& row) { return out << row.json.substr(0, 80); }

void append_date(bson_t* to, std::int64_t time) { BSON_APPEND_DATE_TIME(to, "v", time); }
void append_binary(bson_t* to, bson_subtype_t subtype, std::string_view bytes) {
    bson_append_binary(to, "v", 1, subtype, reinterpret_cast<std::uint8_t const*>(bytes.data()),
                       static_cast<std::uint32_t>(bytes.size()));
}
void append_decimal(bson_t* to, char const* text) {
    bson_decimal128_t value;
    BOOST_TEST_REQUIRE(bson_decimal128_from_string(text, &value));
    BSON_APPEND_DECIMAL128(to, "v", &value);
}
void append_array(bson_t* to) {
    document array;
    BSON_APPEND_INT32(array.get(), "0", 1);
    BSON_APPEND_ARRAY(to, "v", array.get());
}
bson_oid_t id() {
    bson_oid_t value;
    bson_oid_init_from_string(&value, "0123456789abcdef01234567");
    return value;
}

std::vector<row> const rows = {
    // what JSON has
    {"0", [](bson_t* to) { BSON_APPEND_INT32(to, "v", 0); }, ""},
    {"-0", [](bson_t* to) { BSON_APPEND_INT32(to, "v", 0); }, "0"},
    {"2147483647", [](bson_t* to) { BSON_APPEND_INT32(to, "v", 2147483647); }, ""},
    {"-2147483648", [](bson_t* to) { BSON_APPEND_INT32(to, "v", -2147483647 - 1); }, ""},
    {"2147483648", [](bson_t* to) { BSON_APPEND_INT64(to, "v", 2147483648); }, ""},
    {"-2147483649", [](bson_t* to) { BSON_APPEND_INT64(to, "v", -2147483649); }, ""},
    {"9223372036854775807", [](bson_t* to) { BSON_APPEND_INT64(to, "v", std::numeric_limits<std::int64_t>::max()); },
     ""},
    {"-9223372036854775808", [](bson_t* to) { BSON_APPEND_INT64(to, "v", std::numeric_limits<std::int64_t>::min()); },
     ""},
    {"1.0", [](bson_t* to) { BSON_APPEND_DOUBLE(to, "v", 1); }, ""},
    {"-0.0", [](bson_t* to) { BSON_APPEND_DOUBLE(to, "v", -0.0); }, ""},
    {"0e999", [](bson_t* to) { BSON_APPEND_DOUBLE(to, "v", 0); }, "0.0"},
    {"1E2", [](bson_t* to) { BSON_APPEND_DOUBLE(to, "v", 100); }, "100.0"},
    {"0.30000000000000004", [](bson_t* to) { BSON_APPEND_DOUBLE(to, "v", 0.1 + 0.2); }, ""},
    {"1.7976931348623157e+308", [](bson_t* to) { BSON_APPEND_DOUBLE(to, "v", 1.7976931348623157e308); }, ""},
    {"5e-324", [](bson_t* to) { BSON_APPEND_DOUBLE(to, "v", 5e-324); }, ""},
    {"9007199254740993.0", [](bson_t* to) { BSON_APPEND_DOUBLE(to, "v", 9007199254740992); }, "9007199254740992.0"},
    {"true", [](bson_t* to) { BSON_APPEND_BOOL(to, "v", true); }, ""},
    {"false", [](bson_t* to) { BSON_APPEND_BOOL(to, "v", false); }, ""},
    {"null", [](bson_t* to) { BSON_APPEND_NULL(to, "v"); }, ""},
    {R"("")", [](bson_t* to) { BSON_APPEND_UTF8(to, "v", ""); }, ""},
    {R"("text \"\\\b\f\n\r\t\u0001\u001f é 日本 😀")",
     [](bson_t* to) { BSON_APPEND_UTF8(to, "v", "text \"\\\b\f\n\r\t\x01\x1f é 日本 😀"); }, ""},
    {R"("\/\u00e9\ud83d\ude00")", [](bson_t* to) { BSON_APPEND_UTF8(to, "v", "/é😀"); }, R"("/é😀")"},
    {R"("a\u0000b")", [](bson_t* to) { bson_append_utf8(to, "v", 1, "a\0b", 3); }, ""},
    {"[1]", append_array, ""},
    {"{}", [](bson_t* to) { BSON_APPEND_DOCUMENT(to, "v", document().get()); }, ""},
    // numbers in wrappers
    {R"({"$numberInt":"-2147483648"})", [](bson_t* to) { BSON_APPEND_INT32(to, "v", -2147483647 - 1); }, "-2147483648"},
    {R"({"$numberLong":"5"})", [](bson_t* to) { BSON_APPEND_INT64(to, "v", 5); }, "5", false},
    {R"({"$numberLong":"-9223372036854775808"})",
     [](bson_t* to) { BSON_APPEND_INT64(to, "v", std::numeric_limits<std::int64_t>::min()); }, "-9223372036854775808"},
    {R"({"$numberDouble":"1.5"})", [](bson_t* to) { BSON_APPEND_DOUBLE(to, "v", 1.5); }, "1.5"},
    {R"({"$numberDouble":"-0"})", [](bson_t* to) { BSON_APPEND_DOUBLE(to, "v", -0.0); }, "-0.0"},
    {R"({"$numberDouble":"NaN"})",
     [](bson_t* to) { BSON_APPEND_DOUBLE(to, "v", std::numeric_limits<double>::quiet_NaN()); }, ""},
    {R"({"$numberDouble":"Infinity"})", [](bson_t* to) { BSON_APPEND_DOUBLE(to, "v", HUGE_VAL); }, ""},
    {R"({"$numberDouble":"-Infinity"})", [](bson_t* to) { BSON_APPEND_DOUBLE(to, "v", -HUGE_VAL); }, ""},
    {R"({"$numberDecimal":"1.50"})", [](bson_t* to) { append_decimal(to, "1.50"); }, ""},
    {R"({"$numberDecimal":"-0E-6176"})", [](bson_t* to) { append_decimal(to, "-0E-6176"); }, ""},
    {R"({"$numberDecimal":"9.999999999999999999999999999999999E+6144"})",
     [](bson_t* to) { append_decimal(to, "9.999999999999999999999999999999999E+6144"); }, ""},
    {R"({"$numberDecimal":"+1e3"})", [](bson_t* to) { append_decimal(to, "1E+3"); }, R"({"$numberDecimal":"1E+3"})"},
    {R"({"$numberDecimal":"NaN"})", [](bson_t* to) { append_decimal(to, "NaN"); }, ""},
    {R"({"$numberDecimal":"-Infinity"})", [](bson_t* to) { append_decimal(to, "-Infinity"); }, ""},
    // dates
    {R"({"$date":"2026-11-23T18:36:46.500Z"})", [](bson_t* to) { append_date(to, 1795459006500); }, ""},
    {R"({"$date":"1970-01-01T00:00:00Z"})", [](bson_t* to) { append_date(to, 0); }, ""},
    {R"({"$date":"9999-12-31T23:59:59.999Z"})", [](bson_t* to) { append_date(to, 253402300799999); }, ""},
    {R"({"$date":"2024-02-29T12:00:00.5+0130"})", [](bson_t* to) { append_date(to, 1709202600500); },
     R"({"$date":"2024-02-29T10:30:00.500Z"})"},
    {R"({"$date":"2024-02-29T12:00:00.07-01:30"})", [](bson_t* to) { append_date(to, 1709213400070); },
     R"({"$date":"2024-02-29T13:30:00.070Z"})"},
    {R"({"$date":"1969-12-31T23:59:59.999Z"})", [](bson_t* to) { append_date(to, -1); },
     R"({"$date":{"$numberLong":"-1"}})"},
    {R"({"$date":{"$numberLong":"-9223372036854775808"}})",
     [](bson_t* to) { append_date(to, std::numeric_limits<std::int64_t>::min()); }, ""},
    {R"({"$date":{"$numberLong":"253402300800000"}})", [](bson_t* to) { append_date(to, 253402300800000); }, ""},
    {R"({"$date":{"$numberLong":"5"}})", [](bson_t* to) { append_date(to, 5); },
     R"({"$date":"1970-01-01T00:00:00.005Z"})"},
    // the others
    {R"({"$oid":"0123456789ABCDEF01234567"})",
     [](bson_t* to) {
         auto const value = id();
         BSON_APPEND_OID(to, "v", &value);
     },
     R"({"$oid":"0123456789abcdef01234567"})"},
    {R"({"$binary":{"base64":"AP+h","subType":"00"}})",
     [](bson_t* to) {
         append_binary(to, BSON_SUBTYPE_BINARY, {"\0\xff\xa1", 3});
     },
     ""},
    {R"({"$binary":{"base64":"","subType":"00"}})", [](bson_t* to) { append_binary(to, BSON_SUBTYPE_BINARY, ""); }, ""},
    {R"({"$binary":{"subType":"4","base64":"AAECAwQFBgcICQoLDA0ODw=="}})",
     [](bson_t* to) {
         append_binary(to, BSON_SUBTYPE_UUID, {"\0\1\2\3\4\5\6\7\x8\x9\xa\xb\xc\xd\xe\xf", 16});
     },
     R"({"$binary":{"base64":"AAECAwQFBgcICQoLDA0ODw==","subType":"04"}})"},
    {R"({"$binary":{"base64":"AP8=","subType":"02"}})",
     [](bson_t* to) {
         append_binary(to, BSON_SUBTYPE_BINARY_DEPRECATED, {"\0\xff", 2});
     },
     ""},
    {R"({"$binary":{"base64":"Kg==","subType":"80"}})", [](bson_t* to) { append_binary(to, BSON_SUBTYPE_USER, "*"); },
     ""},
    {R"({"$timestamp":{"t":4294967295,"i":1}})", [](bson_t* to) { BSON_APPEND_TIMESTAMP(to, "v", 4294967295, 1); }, ""},
    {R"({"$timestamp":{"i":4294967295,"t":0}})", [](bson_t* to) { BSON_APPEND_TIMESTAMP(to, "v", 0, 4294967295); },
     R"({"$timestamp":{"t":0,"i":4294967295}})"},
    {R"({"$regularExpression":{"pattern":"^a\"\\d é","options":"imx"}})",
     [](bson_t* to) { BSON_APPEND_REGEX(to, "v", "^a\"\\d é", "imx"); }, ""},
    {R"({"$regularExpression":{"options":"xi","pattern":""}})",
     [](bson_t* to) { BSON_APPEND_REGEX(to, "v", "", "ix"); },
     R"({"$regularExpression":{"pattern":"","options":"ix"}})"},
    {R"~({"$code":"f(\"x\")"})~", [](bson_t* to) { BSON_APPEND_CODE(to, "v", "f(\"x\")"); }, ""},
    {R"({"$code":"f","$scope":{"a":[1],"d":{"$date":{"$numberLong":"-1"}},"$date":"x"}})",
     [](bson_t* to) {
         document scope;
         document array;
         BSON_APPEND_INT32(array.get(), "0", 1);
         BSON_APPEND_ARRAY(scope.get(), "a", array.get());
         BSON_APPEND_DATE_TIME(scope.get(), "d", -1);
         BSON_APPEND_UTF8(scope.get(), "$date", "x");
         BSON_APPEND_CODE_WITH_SCOPE(to, "v", "f", scope.get());
     },
     ""},
    {R"({"$code":"f","$scope":{"$symbol":"x"}})",
     [](bson_t* to) {
         document scope;
         BSON_APPEND_UTF8(scope.get(), "$symbol", "x");
         BSON_APPEND_CODE_WITH_SCOPE(to, "v", "f", scope.get());
     },
     ""},
    {R"({"$symbol":"s é"})", [](bson_t* to) { BSON_APPEND_SYMBOL(to, "v", "s é"); }, ""},
    {R"({"$dbPointer":{"$ref":"c","$id":{"$oid":"0123456789abcdef01234567"}}})",
     [](bson_t* to) {
         auto const value = id();
         BSON_APPEND_DBPOINTER(to, "v", "c", &value);
     },
     ""},
    {R"({"$minKey":1})", [](bson_t* to) { BSON_APPEND_MINKEY(to, "v"); }, ""},
    {R"({"$maxKey":1})", [](bson_t* to) { BSON_APPEND_MAXKEY(to, "v"); }, ""},
    {R"({"$undefined":true})", [](bson_t* to) { BSON_APPEND_UNDEFINED(to, "v"); }, ""},
};

}  // namespace

BOOST_DATA_TEST_CASE(json_becomes_what_it_stands_for, boost::unit_test::data::make(rows), row) {
    document expected;
    row.append(expected.get());
    auto const made = from_json(in_field(row.json));
    BOOST_TEST(bytes_of(made) == bytes_of(expected));
    BOOST_TEST(is_valid(made));
}

BOOST_DATA_TEST_CASE(bson_becomes_relaxed_extended_json, boost::unit_test::data::make(rows), row) {
    document original;
    row.append(original.get());
    auto const text = to_json(*original);
    BOOST_TEST(text == in_field(row.back.empty() ? row.json : row.back));
    BOOST_TEST(!minibatch::encode_document_text(text).problem);
    BOOST_TEST((bytes_of(from_json(text)) == bytes_of(original)) == row.same_type);
}

BOOST_AUTO_TEST_CASE(a_document_itself_is_no_wrapper) {
    for (auto const& row : rows) {
        if (row.json.front() != '{' || row.json == "{}") continue;
        auto const made = from_json(row.json);
        bson_iter_t fields;
        BOOST_TEST_REQUIRE(bson_iter_init(&fields, made.get()));
        BOOST_TEST_REQUIRE(bson_iter_next(&fields));
        BOOST_TEST(bson_iter_key(&fields)[0] == '$');
    }
}

BOOST_AUTO_TEST_SUITE_END()
