// Random documents, from JSON to BSON and back, and from BSON to JSON and back.
#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>
#include <memory>
#include <minibatch/document.hpp>
#include <string>
#include <vector>

#include "bson/from_json.hpp"
#include "bson/messages.hpp"
#include "bson/to_json.hpp"
#include "bson_random.hpp"
#include "log/segment.hpp"

BOOST_AUTO_TEST_SUITE(bson_round_trip)

namespace {

namespace json = boost::json;
using bson_random::dice;
using bson_random::random_bson;
using bson_random::random_json;
using minibatch::bson::append_messages;
using minibatch::bson::document;
using minibatch::bson::from_json;
using minibatch::bson::from_value;
using minibatch::bson::messages_text;
using minibatch::bson::to_json;
using minibatch::bson::to_value;

std::string bytes_of(document const& document) {
    return {reinterpret_cast<char const*>(document.bytes().data()), document.bytes().size()};
}

}  // namespace

BOOST_AUTO_TEST_CASE(random_json_comes_back) {
    random_json random(1);
    for (int i = 0; i < 5000; ++i) {
        auto const value = random.document();
        auto const made = from_value(value);
        BOOST_TEST_REQUIRE(bson_validate(
            made.get(), static_cast<bson_validate_flags_t>(BSON_VALIDATE_UTF8 | BSON_VALIDATE_UTF8_ALLOW_NULL),
            nullptr));
        auto const back = to_value(*made);
        BOOST_TEST_REQUIRE(back == value);
        BOOST_TEST_REQUIRE(bytes_of(from_value(back)) == bytes_of(made));  // tells zeros of different sign apart
    }
}

BOOST_AUTO_TEST_CASE(random_bson_comes_back) {
    random_bson random(2);
    for (int i = 0; i < 5000; ++i) {
        auto const original = random.make();
        auto const text = to_json(*original);
        BOOST_TEST_REQUIRE(bytes_of(from_json(text)) == bytes_of(original), text);
        BOOST_TEST_REQUIRE(!minibatch::encode_document_text(text).problem);
    }
}

BOOST_AUTO_TEST_CASE(random_segments_come_back) {
    random_json random(3);
    dice numbers(4);
    for (int i = 0; i < 200; ++i) {
        std::vector<json::value> values;
        minibatch::log::segment_text text;
        for (auto n = numbers.below(40) + 1; n > 0; --n) {
            values.push_back(random.document());
            text.add(minibatch::encode_document(values.back()).text);
        }
        auto const count = static_cast<std::int64_t>(values.size());
        document record;
        BOOST_TEST_REQUIRE(append_messages(*record, "data", text.finish(), count));
        BOOST_TEST_REQUIRE(bson_validate(
            record.get(), static_cast<bson_validate_flags_t>(BSON_VALIDATE_UTF8 | BSON_VALIDATE_UTF8_ALLOW_NULL),
            nullptr));
        bson_iter_t at;
        BOOST_TEST_REQUIRE(bson_iter_init_find(&at, record.get(), "data"));
        auto const back = std::make_shared<std::string const>(messages_text(at, count));
        minibatch::log::segment const segment(0, 0, count, 0, back);
        for (std::int64_t k = 0; k < count; ++k) {
            auto const& expected = values[static_cast<std::size_t>(k)];
            BOOST_TEST_REQUIRE(minibatch::decode_document(segment.document(k)) == expected);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
