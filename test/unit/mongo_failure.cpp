#include <boost/test/unit_test.hpp>
#include <vector>

#include "store/mongo/groups/committer.hpp"
#include "store/mongo/wire/client_pool.hpp"

using namespace minibatch;
using namespace minibatch::store::mongo;

BOOST_AUTO_TEST_SUITE(mongo_failure)

BOOST_AUTO_TEST_CASE(server_codes) {
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
        {39, severity::unknown, {}},      // a file cannot be read or written
        {264, severity::not_done, {}},    // too many open files
        {371, severity::not_done, {}},    // writes are blocked for a while
        {8, severity::refused, errc::store_failure},
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
        BOOST_TEST(found.text.starts_with("words"));
        if (expected.how == severity::refused) BOOST_TEST((found.code == expected.meaning), expected.code);
    }
}

/// The storage engine has one code for all errors of the operating system.
BOOST_AUTO_TEST_CASE(io_errors) {
    auto const found = classify_code(8, "WT_SESSION.commit: pread: Input/output error");
    BOOST_TEST((found.how == severity::unknown), "it may pass, and the data need not be damaged");
}

BOOST_AUTO_TEST_CASE(full_disk) {
    BOOST_TEST(classify_code(14031, "no space").text.find("free space there") != std::string::npos);
}

/// The driver gives all failures of a login one code.
BOOST_AUTO_TEST_CASE(logins) {
    bson_t const nothing = BSON_INITIALIZER;
    for (std::string const text :
         {"Failed to send \"saslStart\" command with database \"admin\": socket error",
          "The server is in quiesce mode and will be shutting down", "interrupted at shutdown", "not primary"}) {
        bson_error_t problem{};
        bson_set_error(&problem, MONGOC_ERROR_CLIENT, MONGOC_ERROR_CLIENT_AUTHENTICATE, "%s", text.c_str());
        BOOST_TEST((classify(problem, nothing).how == severity::not_done), text);
    }
    bson_error_t refused{};
    bson_set_error(&refused, MONGOC_ERROR_CLIENT, MONGOC_ERROR_CLIENT_AUTHENTICATE, "Authentication failed.");
    BOOST_TEST((classify(refused, nothing).how == severity::refused));
    BOOST_TEST((classify(refused, nothing).code == errc::access_denied));
}

/// What an earlier try may have done is not undone by the refusal of a later one.
BOOST_AUTO_TEST_CASE(errors_of_writes_in_doubt) {
    client_pool const clients(parse_settings("mongodb://127.0.0.1:1/d", 1), {});
    failure const refused{severity::refused, errc::access_denied, "words", 13, false, false};
    failure const away{severity::not_done, errc::unavailable, "words", 0, false, false};
    auto const code = [&](command_kind kind, failure const& why, bool maybe_done) {
        return static_cast<errc>(clients.problem("doing", kind, why, maybe_done).code().value());
    };
    BOOST_TEST((code(command_kind::write, refused, true) == errc::outcome_unknown));
    BOOST_TEST((code(command_kind::write, refused, false) == errc::access_denied));
    BOOST_TEST((code(command_kind::write, away, true) == errc::outcome_unknown));
    BOOST_TEST((code(command_kind::write, away, false) == errc::unavailable));
    BOOST_TEST((code(command_kind::read, refused, true) == errc::access_denied));
    BOOST_TEST((code(command_kind::read, away, true) == errc::unavailable));
}

/// The group was deleted after the commit, or before it.
BOOST_AUTO_TEST_CASE(commits_to_a_group_that_is_gone) {
    revision_counter revisions;
    store::commit_request const request{{{1, 0}, "g"}, 1, {}, {}};
    failure const lost{severity::unknown, errc::unavailable, "words", 0, false, false};
    for (bool const answer_lost : {false, true}) {
        committer work(request, revisions);
        work.begin();
        if (answer_lost) {
            work.not_done(lost, false);
            work.paused();
        }
        BOOST_TEST(std::holds_alternative<committer::look>(work.updated(false)));
        auto const end = work.looked({}, 0);
        BOOST_REQUIRE(std::holds_alternative<committer::failed>(end));
        BOOST_TEST(
            (std::get<committer::failed>(end).code == (answer_lost ? errc::outcome_unknown : errc::group_not_found)));
    }
}

// One server has the write already, whatever is wrong with the others.
BOOST_AUTO_TEST_CASE(write_concern_errors_leave_the_write_in_doubt) {
    for (std::int32_t const code : {64, 79, 91, 100, 10107})
        BOOST_TEST((classify_code(code, "words", true).how == severity::unknown), code);
}

BOOST_AUTO_TEST_SUITE_END()
