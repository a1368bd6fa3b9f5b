#include <array>
#include <bit>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <minibatch/document.hpp>
#include <minibatch/emitter.hpp>
#include <minibatch/message.hpp>
#include <random>
#include <string>
#include <vector>

#include "document/decode.hpp"
#include "support/soak.hpp"

using namespace minibatch;

BOOST_AUTO_TEST_SUITE(document_exact)

namespace {

/// Numbers whose conversion is known to go wrong where it is not done with care, and random ones.
std::vector<std::string> numbers() {
    std::vector<std::string> texts{"7e23",
                                   "0e999",
                                   "-0e999",
                                   "-0.0",
                                   "0.1",
                                   "0.30000000000000004",
                                   "123456789012345678.0",
                                   "9007199254740993.0",
                                   "1.7976931348623157e308",
                                   "17976931348623157e292",
                                   "2.2250738585072014e-308",
                                   "2.2250738585072011e-308",
                                   "4.9e-324",
                                   "3e-324",
                                   "2e-324",
                                   "1e-400",
                                   "8.41e21",
                                   "1e23",
                                   "6.631236846766476e-302"};
    std::mt19937_64 random(test::seed_of_run());
    while (texts.size() < 1'015) {
        auto const value = std::bit_cast<double>(random());
        if (!std::isfinite(value)) continue;
        std::array<char, 40> text{};
        auto const end = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::scientific);
        texts.emplace_back(text.data(), end.ptr);
    }
    return texts;
}

/// By the C library, which rounds correctly.
double nearest(std::string const& text) { return std::strtod(text.c_str(), nullptr); }

struct plain_emitter final : window_emitter {
    readiness window_ready(std::span<message const>, time_point) override { return {}; }
};

}  // namespace

BOOST_AUTO_TEST_CASE(all_ways_to_read_give_the_nearest_double) {
    for (auto const& number : numbers()) {
        BOOST_TEST_CONTEXT(number) {
            auto const encoded = encode_document_text(R"({"v":)" + number + "}");
            BOOST_REQUIRE(!encoded.problem);
            message const one(0, {}, 0, encoded.text, nullptr);
            std::array<std::string_view, 1> const pieces{encoded.text};
            plain_emitter emitter;
            auto const expected = std::bit_cast<std::uint64_t>(nearest(number));
            auto const is_exact = [&](boost::json::value const& document) {
                return std::bit_cast<std::uint64_t>(document.at("v").as_double()) == expected;
            };
            BOOST_TEST(is_exact(one.data()));
            BOOST_TEST(is_exact(decode_document(encoded.text)));
            BOOST_TEST(is_exact(document::decode_all(pieces, 1, {}).at(0)));
            BOOST_TEST(is_exact(emitter.query({&one, 1}).at(0)));
            // A value that was read and is appended again stays what it was.
            BOOST_TEST(is_exact(decode_document(encode_document(one.data()).text)));
        }
    }
}

BOOST_AUTO_TEST_CASE(message_names_the_document_that_is_damaged) {
    message const damaged(17, {}, 3, R"({"v":tru})", nullptr);
    BOOST_CHECK_EXCEPTION(damaged.data(), error, [](error const& problem) {
        return problem.code() == errc::corrupt && problem.diagnostics().starts_with("message 17 of partition 3: ");
    });
}

BOOST_AUTO_TEST_SUITE_END()
