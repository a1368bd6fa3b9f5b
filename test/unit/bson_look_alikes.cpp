// Objects with `$` in their keys that are plain objects in BSON, too.
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "bson/from_json.hpp"
#include "bson/to_json.hpp"

BOOST_AUTO_TEST_SUITE(bson_look_alikes)

namespace {

using minibatch::bson::document;
using minibatch::bson::from_json;
using minibatch::bson::to_json;

std::string in_field(std::string_view value) { return R"({"v":)" + std::string(value) + "}"; }

bool is_valid(document const& document) {
    return bson_validate(document.get(),
                         static_cast<bson_validate_flags_t>(BSON_VALIDATE_UTF8 | BSON_VALIDATE_UTF8_ALLOW_NULL),
                         nullptr);
}

// Objects that look like wrappers, but are none, or whose value BSON cannot hold: they stay as they are.
std::vector<std::string> const look_alikes = {
    R"({"$oid":"0123456789abcdef0123456"})",
    R"({"$oid":"0123456789abcdef0123456g"})",
    R"({"$oid":1})",
    R"({"$oid":"0123456789abcdef01234567","x":1})",
    R"({"x":1,"$oid":"0123456789abcdef01234567"})",
    R"({"$date":5})",
    R"({"$date":5000000000})",
    R"({"$date":{"$numberInt":"5"}})",
    R"({"$date":{"$numberLong":5}})",
    R"({"$date":{"$numberLong":"5","x":1}})",
    R"({"$date":{"$numberLong":"9223372036854775808"}})",
    R"({"$date":{"$date":"2026-01-01T00:00:00Z"}})",
    R"({"$date":""})",
    R"({"$date":"2026-02-29T00:00:00Z"})",
    R"({"$date":"2026-01-01T24:00:00Z"})",
    R"({"$date":"2016-12-31T23:59:60Z"})",
    R"({"$date":"2026-01-01T00:00:00.1234Z"})",
    R"({"$date":"2026-01-01T00:00:00.Z"})",
    R"({"$date":"2026-01-01T00:00:00"})",
    R"({"$date":"2026-01-01T00:00:00+1"})",
    R"({"$date":"2026-01-01T00:00:00+01000"})",
    R"({"$date":"2026-01-01T00:00:00Z "})",
    R"({"$date":"2026-01-01"})",
    R"({"$date":"12026-01-01T00:00:00Z"})",
    R"({"$numberInt":"2147483648"})",
    R"({"$numberInt":"01"})",
    R"({"$numberInt":"+1"})",
    R"({"$numberInt":"1 "})",
    R"({"$numberInt":""})",
    R"({"$numberInt":"-"})",
    R"({"$numberInt":1})",
    R"({"$numberLong":"9223372036854775808"})",
    R"({"$numberLong":5})",
    R"({"$numberDouble":"nan"})",
    R"({"$numberDouble":"inf"})",
    R"({"$numberDouble":"0x1p3"})",
    R"({"$numberDouble":"1e999"})",
    R"({"$numberDouble":"1 "})",
    R"({"$numberDouble":""})",
    R"({"$numberDouble":1.5})",
    R"({"$numberDecimal":"12345678901234567890123456789012345"})",
    R"({"$numberDecimal":"1E+6145"})",
    R"({"$numberDecimal":"1E4294967296"})",
    R"({"$numberDecimal":"1E"})",
    R"({"$numberDecimal":""})",
    R"({"$numberDecimal":"nan"})",
    R"({"$numberDecimal":" 1"})",
    R"({"$numberDecimal":"1x"})",
    R"({"$numberDecimal":1})",
    R"({"$binary":"AP+h","$type":"00"})",
    R"({"$binary":{"base64":"AP+","subType":"00"}})",
    R"({"$binary":{"base64":"AP+=","subType":"00"}})",
    R"({"$binary":{"base64":"Kh==","subType":"00"}})",
    R"({"$binary":{"base64":"====","subType":"00"}})",
    R"({"$binary":{"base64":"AP-_","subType":"00"}})",
    R"({"$binary":{"base64":"AP+h","subType":""}})",
    R"({"$binary":{"base64":"AP+h","subType":"100"}})",
    R"({"$binary":{"base64":"AP+h","subType":"0g"}})",
    R"({"$binary":{"base64":"AP+h","subType":0}})",
    R"({"$binary":{"base64":"AP+h"}})",
    R"({"$binary":{"base64":"AP+h","subType":"00","x":1}})",
    R"({"$binary":{"base64":"AP+h","base64":"AP+h"}})",
    R"({"$timestamp":{"t":-1,"i":1}})",
    R"({"$timestamp":{"t":4294967296,"i":1}})",
    R"({"$timestamp":{"t":1.0,"i":1}})",
    R"({"$timestamp":{"t":{"$numberInt":"1"},"i":1}})",
    R"({"$timestamp":[1,2]})",
    R"({"$regularExpression":{"pattern":"a","options":"g"}})",
    R"({"$regularExpression":{"pattern":"a","options":"ii"}})",
    R"({"$regularExpression":{"pattern":"a\u0000","options":""}})",
    R"({"$regularExpression":{"pattern":"a"}})",
    R"({"$regex":"a","$options":"i"})",
    R"({"$code":1})",
    R"({"$code":"f","$scope":1})",
    R"({"$code":"f","$scope":{"$oid":"0123456789abcdef01234567"},"x":1})",
    R"({"$code":"f","scope":{}})",
    R"({"$scope":{},"$code":"f"})",
    R"({"$symbol":1})",
    R"({"$dbPointer":{"$ref":"c","$id":"0123456789abcdef01234567"}})",
    R"({"$dbPointer":{"$ref":"c","$id":{"$oid":"0"}}})",
    R"({"$dbPointer":{"$ref":"c","$id":{"$oid":"0123456789abcdef01234567"},"$db":"d"}})",
    R"({"$ref":"c","$id":1})",
    R"({"$minKey":2})",
    R"({"$minKey":1.0})",
    R"({"$minKey":{"$numberInt":"1"}})",
    R"({"$maxKey":true})",
    R"({"$undefined":false})",
    R"({"$undefined":1})",
    R"({"$uuid":"00112233-4455-6677-8899-aabbccddeeff"})",
    R"({"$unknown":{"$numberLong":"5"}})",
    R"({"$oid":"0123456789abcdef01234567","$oid":"0123456789abcdef01234567"})",
    R"({"$":1})",
    R"({"$where":[{"$numberInt":"1"}]})",
};

}  // namespace

BOOST_DATA_TEST_CASE(what_is_no_wrapper_stays_as_it_is, boost::unit_test::data::make(look_alikes), text) {
    for (auto const& json : {in_field(text), in_field("[[" + text + "]]"), text}) {
        auto const made = from_json(json);
        BOOST_TEST(is_valid(made));
        BOOST_TEST(to_json(*made) == json);
    }
    bson_iter_t field;
    auto const made = from_json(in_field(text));
    BOOST_TEST_REQUIRE(bson_iter_init_find(&field, made.get(), "v"));
    BOOST_TEST(bson_iter_type(&field) == BSON_TYPE_DOCUMENT);
}

BOOST_AUTO_TEST_SUITE_END()
