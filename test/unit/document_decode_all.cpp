#include <array>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>
#include <vector>

#include "document/decode.hpp"

using minibatch::document::decode_all;
using pieces = std::vector<std::string_view>;

BOOST_AUTO_TEST_SUITE(document_decode_all)

namespace {

std::string nested(std::size_t depth) {
    std::string text;
    for (std::size_t i = 1; i < depth; ++i) text += R"({"a":)";
    return text + "{}" + std::string(depth - 1, '}');
}

bool is_corrupt(minibatch::error const& problem) { return problem.code() == minibatch::errc::corrupt; }

}  // namespace

BOOST_AUTO_TEST_CASE(pieces_become_one_array) {
    struct row {
        pieces texts;
        std::size_t count;
        char const* expected;
    };
    for (auto const& each :
         {row{{}, 0, "[]"}, row{{"{}"}, 1, "[{}]"}, row{{"{\"a\":1},\n{\"a\":2}"}, 2, R"([{"a":1},{"a":2}])"},
          row{{"{\"a\":0.1}", "{\"b\":[1,\"]\"]},\n{}"}, 3, R"([{"a":1E-1},{"b":[1,"]"]},{}])"}}) {
        BOOST_TEST(boost::json::serialize(decode_all(each.texts, each.count, {})) == each.expected);
    }
}

BOOST_AUTO_TEST_CASE(what_is_damaged_is_refused) {
    struct row {
        pieces texts;
        std::size_t count;
    };
    for (auto const& each : {row{{"{}"}, 2}, row{{"{},{}"}, 1}, row{{"{"}, 1}, row{{""}, 1}, row{{"{}", ""}, 2},
                             row{{"{}]"}, 1}, row{{"{}],[{}"}, 2}, row{{"{\"a\":tru}"}, 1}}) {
        BOOST_CHECK_EXCEPTION(decode_all(each.texts, each.count, {}), minibatch::error, is_corrupt);
    }
}

BOOST_AUTO_TEST_CASE(nesting_is_counted_in_each_document) {
    auto const deepest = nested(minibatch::max_document_depth);
    BOOST_TEST(decode_all(pieces{deepest, deepest}, 2, {}).size() == 2U);
    auto const deeper = nested(minibatch::max_document_depth + 1);
    BOOST_CHECK_EXCEPTION(decode_all(pieces{deeper}, 1, {}), minibatch::error, is_corrupt);
}

BOOST_AUTO_TEST_CASE(the_memory_given_is_used) {
    std::array<unsigned char, 4096> buffer{};
    boost::json::monotonic_resource memory(buffer.data(), buffer.size());
    auto const decoded = decode_all(pieces{R"({"key":"a string that is longer than what fits in place"})"}, 1, &memory);
    auto const* const at = reinterpret_cast<unsigned char const*>(decoded[0].at("key").as_string().data());
    BOOST_TEST((at >= buffer.data() && at < buffer.data() + buffer.size()));
}

BOOST_AUTO_TEST_SUITE_END()
