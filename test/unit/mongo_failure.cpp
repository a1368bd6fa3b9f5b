#include <boost/test/unit_test.hpp>
#include <vector>

#include "store/mongo/failure.hpp"

using namespace minibatch;
using namespace minibatch::store::mongo;

BOOST_AUTO_TEST_SUITE(mongo_failure)

BOOST_AUTO_TEST_CASE(codes_of_the_server) {
    struct row {
        std::int32_t code;
        severity how;
        errc meaning;  // if refused
    };
    std::vector<row> const table{
        {10107, severity::not_done, {}},  // not the primary
        {112, severity::not_done, {}},    // a write conflict
        {13435, severity::not_done, {}},  // a secondary
        {50, severity::unknown, {}},      // took too long
        {189, severity::unknown, {}},     // stepping down
        {91, severity::unknown, {}},      // shutting down
        {11600, severity::unknown, {}},   // … in the middle of it
        {11602, severity::unknown, {}},   // another one has become the primary
        {11601, severity::unknown, {}},   // interrupted
        {6, severity::unknown, {}},       // a router lost its shard
        {262, severity::unknown, {}},     // … or its time
        {13, severity::refused, errc::access_denied},
        {18, severity::refused, errc::access_denied},
        {20, severity::refused, errc::unsupported},
        {10334, severity::refused, errc::document_too_large},
        {14031, severity::refused, errc::storage_full},
        {73, severity::refused, errc::invalid_url},
        {96, severity::refused, errc::store_failure},
    };
    for (auto const& expected : table) {
        auto const found = classify_code(expected.code, "words");
        BOOST_TEST((found.how == expected.how), expected.code);
        BOOST_TEST(found.server_code == expected.code);
        BOOST_TEST(found.text == "words");
        if (expected.how == severity::refused) BOOST_TEST((found.code == expected.meaning), expected.code);
    }
}

// One server has the write already, whatever is wrong with the others.
BOOST_AUTO_TEST_CASE(write_concern_errors_leave_the_write_in_doubt) {
    for (std::int32_t const code : {64, 79, 91, 100, 10107})
        BOOST_TEST((classify_code(code, "words", true).how == severity::unknown), code);
}

BOOST_AUTO_TEST_SUITE_END()
