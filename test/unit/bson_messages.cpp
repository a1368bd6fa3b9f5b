// Whole segments: the array of messages in a record of the log, and the text it came from.
#include <boost/json.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <minibatch/document.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "bson/document.hpp"
#include "bson/from_json.hpp"
#include "bson/messages.hpp"
#include "bson/to_json.hpp"
#include "log/segment.hpp"

BOOST_AUTO_TEST_SUITE(bson_messages)

namespace {

using minibatch::errc;
using minibatch::bson::append_messages;
using minibatch::bson::document;
using minibatch::bson::from_json;
using minibatch::bson::messages_text;
using minibatch::bson::to_json;

std::string nested(std::size_t depth) {
    std::string text;
    for (std::size_t i = 1; i < depth; ++i) text += R"({"a":)";
    return text + "{}" + std::string(depth - 1, '}');
}

std::string segment_of(std::vector<std::string> const& messages) {
    minibatch::log::segment_text text;
    for (auto const& each : messages) text.add(each);
    return text.finish();
}

bson_iter_t data_of(document const& record) {
    bson_iter_t at;
    BOOST_TEST_REQUIRE(bson_iter_init_find(&at, record.get(), "data"));
    return at;
}

std::string back(document const& record, std::int64_t count) { return messages_text(data_of(record), count); }

/// A record whose messages are what `json` says.
document foreign(std::string const& json) { return from_json(R"({"data":)" + json + "}"); }

bool is_corrupt(minibatch::error const& problem) { return problem.code() == errc::corrupt; }

struct kept_row {
    std::string message;
    bool as_text;
};
std::ostream& operator<<(std::ostream& out, kept_row const& row) { return out << row.message.substr(0, 80); }

std::vector<kept_row> const kept = {
    {"{}", false},
    {R"({"a":1,"b":[true,null,"x\ny"],"a":2})", false},
    {R"({"a":{"$oid":"0123456789abcdef01234567"}})", false},
    {R"({"a":[{"$code":"f","$scope":{"b":1}}]})", false},
    {R"({"a$":1,"b.c":{"":2}})", false},
    {R"({"$a":1})", true},
    {R"({"$oid":"0123456789abcdef01234567"})", true},
    {R"({"a":[{"b":{"$oid":"0"}}]})", true},
    {R"({"a":{"b":1,"$c":2}})", true},
    {R"({"a":{"$date":5}})", true},
    {R"({"a":{"$code":"f","$scope":{"$b":1}}})", true},
    {R"({"a":{"$unknown":{"$numberInt":"5"}},"text":"é\u0000\"\\"})", true},
    {R"({"a" : { "$b":  1E5 } })", true},
    {nested(95), false},
    {nested(96), true},
    {nested(100), true},
};

}  // namespace

BOOST_DATA_TEST_CASE(a_message_comes_back, boost::unit_test::data::make(kept), row) {
    // among others, so that the right line is found
    for (auto const& messages : std::vector<std::vector<std::string>>{
             {row.message}, {R"({"x":[1]})", row.message, "{}", row.message, R"({"y":{}})"}}) {
        auto const count = static_cast<std::int64_t>(messages.size());
        auto const text = segment_of(messages);
        document record;
        BSON_APPEND_INT32(record.get(), "n", 1);
        BOOST_TEST_REQUIRE(append_messages(*record, "data", text, count));
        BSON_APPEND_INT32(record.get(), "after", 1);
        BOOST_TEST(bson_validate(record.get(), BSON_VALIDATE_NONE, nullptr));
        BOOST_TEST(back(record, count) == text);

        auto const data = data_of(record);
        bson_iter_t message;
        BOOST_TEST_REQUIRE(bson_iter_recurse(&data, &message));
        BOOST_TEST_REQUIRE(bson_iter_find(&message, messages.size() == 1 ? "0" : "3"));
        BOOST_TEST((bson_iter_type(&message) == BSON_TYPE_UTF8) == row.as_text);
        BOOST_TEST((!bson_iter_next(&message) || bson_iter_type(&message) == BSON_TYPE_DOCUMENT));  // the last one
        if (row.as_text)
            BOOST_TEST_REQUIRE(
                (bson_iter_recurse(&data, &message) && bson_iter_find(&message, messages.size() == 1 ? "0" : "3")));
        if (row.as_text) BOOST_TEST(bson_iter_utf8(&message, nullptr) == row.message);
    }
}

BOOST_AUTO_TEST_CASE(no_messages_are_an_empty_array) {
    document record;
    BOOST_TEST_REQUIRE(append_messages(*record, "data", segment_of({}), 0));
    BOOST_TEST(to_json(*record) == R"({"data":[]})");
    BOOST_TEST(back(record, 0) == "[]");
}

BOOST_AUTO_TEST_CASE(many_messages_come_back) {
    std::vector<std::string> messages;
    for (int i = 0; i < 12'345; ++i)
        messages.push_back(R"({"i":)" + std::to_string(i) + (i % 100 == 7 ? R"(,"$":1})" : "}"));
    auto const text = segment_of(messages);
    document record;
    BOOST_TEST_REQUIRE(append_messages(*record, "data", text, 12'345));
    BOOST_TEST(bson_validate(record.get(), BSON_VALIDATE_NONE, nullptr));
    BOOST_TEST((back(record, 12'345) == text));
}

BOOST_AUTO_TEST_CASE(what_would_be_too_large_is_not_built) {
    auto const text = segment_of({R"({"a":[1,2,3]})", R"({"b":{"$c":1}})", R"({"d":{"$minKey":1}})"});
    document record;
    BSON_APPEND_INT32(record.get(), "n", 1);
    auto const before = to_json(*record);
    document whole(record.bytes());
    BOOST_TEST_REQUIRE(append_messages(*whole, "data", text, 3));
    auto const size = whole.bytes().size();
    for (std::size_t most = 0; most < size; ++most) {
        BOOST_TEST_REQUIRE(!append_messages(*record, "data", text, 3, most));
        BOOST_TEST_REQUIRE(to_json(*record) == before);
    }
    // Wrappers need some room while they are being read.
    BOOST_TEST(append_messages(*record, "data", text, 3, size + 64));
    BOOST_TEST(to_json(*record) == to_json(*whole));
}

BOOST_AUTO_TEST_CASE(what_fits_exactly_is_built) {
    auto const text = segment_of({R"({"a":[1,2,3]})", R"({"b":"x"})"});
    document whole;
    BOOST_TEST_REQUIRE(append_messages(*whole, "data", text, 2));
    document record;
    BOOST_TEST(append_messages(*record, "data", text, 2, whole.bytes().size()));
}

BOOST_AUTO_TEST_CASE(large_arrays_of_small_integers_are_given_up) {
    std::string large = R"({"a":[1)";
    while (large.size() < minibatch::max_document_bytes - 16) large += ",1";
    large += "]}";
    document record;
    BOOST_TEST(!append_messages(*record, "data", segment_of({large}), 1));
    BOOST_TEST(record.bytes().size() == 5U);
    BOOST_TEST(append_messages(*record, "data", segment_of({large}), 1, std::size_t{200} * 1024 * 1024));
    BOOST_TEST((back(record, 1) == segment_of({large})));
}

BOOST_AUTO_TEST_CASE(damaged_texts_are_refused) {
    struct row {
        std::string text;
        std::int64_t count;
    };
    for (auto const& each :
         {row{"", 0}, row{"[]", 1}, row{"[{}]", 0}, row{"[{}]", 2}, row{"[{}]", -1}, row{"{}", 1}, row{"[{},\n1]", 2},
          row{"[[]]", 1}, row{"[\"x\"]", 1}, row{"[{}", 1}, row{"[{}] x", 1}, row{"[{\"a\":18446744073709551615}]", 1},
          // not a message a line, which matters when the text of a line is stored
          row{R"([{},{"$a":1}])", 2}, row{"[{\"$a\":\n1}]", 1}, row{"[\n{\"$a\":1}]", 1},
          row{"[{\"a\":\n{}},{\"$a\":1}]", 2}}) {
        document record;
        BOOST_CHECK_EXCEPTION(append_messages(*record, "data", each.text, each.count), minibatch::error, is_corrupt);
        BOOST_TEST(record.bytes().size() == 5U);
    }
}

BOOST_AUTO_TEST_CASE(damaged_records_are_refused) {
    struct row {
        std::string data;
        std::int64_t count;
        std::string what;
    };
    for (auto const& each : {
             row{"{}", 1, "the messages are not an array"},
             row{"[]", 1, "there are only 0 messages where there should be 1"},
             row{"[{}]", 0, "there are more messages where there should be 0"},
             row{"[{},{},{}]", 2, "there are more messages where there should be 2"},
             row{"[{},1]", 2, "message 1: it is neither a document nor a text"},
             row{"[{},[]]", 2, "message 1: it is neither a document nor a text"},
             row{R"([{},{},"x"])", 3, "message 2: at byte 1: unexpected character 'x'"},
             row{R"(["[]"])", 1, "message 0: a document is a JSON object, this is an array"},
             row{R"([""])", 1, "message 0: the text is empty"},
             row{R"(["{\"a\":[1,1e999]}"])", 1, "message 0: at /a/1: 1e999 does not fit a double-precision number"},
         }) {
        BOOST_CHECK_EXCEPTION(back(foreign(each.data), each.count), minibatch::error, [&](auto const& problem) {
            BOOST_TEST(problem.diagnostics() == each.what);
            return is_corrupt(problem);
        });
    }
    // line breaks in what another program has written
    BOOST_TEST(back(foreign(R"(["\n{\"a\":\n1}\r\n"])"), 1) == "[{\"a\": 1}]");

    document text;
    BSON_APPEND_UTF8(text.get(), "a", "\xff");
    document array;
    BSON_APPEND_DOCUMENT(array.get(), "0", document().get());
    BSON_APPEND_DOCUMENT(array.get(), "1", text.get());
    document record;
    BSON_APPEND_ARRAY(record.get(), "data", array.get());
    BOOST_CHECK_EXCEPTION(back(record, 2), minibatch::error, [](auto const& problem) {
        BOOST_TEST(problem.diagnostics() == "message 1: at /a: the string is not valid UTF-8");
        return is_corrupt(problem);
    });
}

BOOST_AUTO_TEST_SUITE_END()
