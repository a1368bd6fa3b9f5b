#include "support/fail_points.hpp"

#include <boost/test/unit_test.hpp>
#include <stdexcept>

#include "support/mongo_command.hpp"
#include "support/mongo_server.hpp"

using namespace minibatch::test;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

struct failing {
    failing() { BOOST_REQUIRE(insert() == ""); }
    /// What an insert ended with; empty: well.
    std::string insert(std::string const& more = {}) {
        try {
            mongo_command(url + "&retryWrites=false" + more,
                          R"({"insert": "c", "documents": [{"_id": )" + std::to_string(++last) + "}]}");
            return {};
        } catch (std::runtime_error const& failure) {
            return failure.what();
        }
    }
    /// Whether the last insert has happened.
    bool there() const {
        return mongo_command(url, R"({"count": "c", "query": {"_id": )" + std::to_string(last) + "}}")
                   .find("\"n\" : 1,") != std::string::npos;
    }

    mongo_server server;
    std::string url = server.url("t");
    int last = 0;
};

bool holds(std::string const& text, std::string const& part) { return text.find(part) != std::string::npos; }

}  // namespace

BOOST_FIXTURE_TEST_SUITE(fail_points, failing)

BOOST_AUTO_TEST_CASE(an_error_so_many_times) {
    fail_point const point(url, {.commands = {"insert"}, .error_code = 11601, .times = 2});
    for (int i = 0; i < 2; ++i) {
        BOOST_TEST(holds(insert(), "\"code\" : 11601"));
        BOOST_TEST(!there());
    }
    BOOST_TEST(insert() == "");
    BOOST_TEST(there());
}

BOOST_AUTO_TEST_CASE(until_it_is_turned_off) {
    {
        fail_point point(url, {.commands = {"find", "insert"}, .error_code = 11601});
        for (int i = 0; i < 5; ++i) BOOST_TEST(insert() != "");
        BOOST_CHECK_THROW(mongo_command(url, R"({"find": "c"})"), std::runtime_error);
        point.off();
        BOOST_TEST(insert() == "");
    }
    {
        fail_point const point(url, {.commands = {"insert"}, .error_code = 11601});
        BOOST_TEST(insert() != "");
    }
    BOOST_TEST(insert() == "");
}

BOOST_AUTO_TEST_CASE(from_the_nth_on) {
    fail_point const point(url, {.commands = {"insert"}, .error_code = 11601, .skip = 2});
    BOOST_TEST(insert() == "");
    BOOST_TEST(insert() == "");
    BOOST_TEST(insert() != "");
    BOOST_TEST(insert() != "");
}

BOOST_AUTO_TEST_CASE(labels) {
    fail_point const point(
        url, {.commands = {"insert"}, .error_code = 91, .error_labels = {"RetryableWriteError", "Other"}, .times = 1});
    auto const said = insert();
    BOOST_TEST(holds(said, R"("errorLabels" : [ "RetryableWriteError", "Other" ])"), said);
}

BOOST_AUTO_TEST_CASE(a_closed_connection) {
    fail_point const point(url, {.commands = {"insert"}, .close_connection = true, .times = 1});
    auto const said = insert();
    BOOST_TEST(holds(said, "socket error or timeout"), said);
    BOOST_TEST(!there());
    BOOST_TEST(insert() == "");
}

BOOST_AUTO_TEST_CASE(a_write_concern_error_on_what_was_written) {
    fail_point const point(url, {.commands = {"insert"}, .write_concern_error = 64, .times = 1});
    auto const said = insert();
    BOOST_TEST(holds(said, "a fail point of the test"), said);
    BOOST_TEST(there());
}

BOOST_AUTO_TEST_CASE(a_delay) {
    fail_point const point(url, {.commands = {"insert"}, .block = milliseconds(200), .times = 1});
    auto const began = steady_clock::now();
    BOOST_TEST(insert() == "");
    BOOST_TEST((steady_clock::now() - began >= milliseconds(200)));
}

BOOST_AUTO_TEST_CASE(only_those_with_a_name) {
    fail_point const point(url, {.commands = {"insert"}, .error_code = 11601, .app_name = "victim"});
    BOOST_TEST(insert() == "");
    BOOST_TEST(insert("&appName=victim") != "");
}

BOOST_AUTO_TEST_CASE(mistakes) {
    BOOST_CHECK_THROW(fail_point(url, {.commands = {}, .error_code = 1}), std::invalid_argument);
    BOOST_CHECK_THROW(fail_point(url, {.commands = {"insert"}}), std::invalid_argument);
    BOOST_CHECK_THROW(fail_point(url, {.commands = {"insert"}, .error_code = 1, .times = 1, .skip = 1}),
                      std::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()
