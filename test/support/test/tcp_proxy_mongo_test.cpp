#include <boost/test/unit_test.hpp>
#include <stdexcept>

#include "support/mongo_command.hpp"
#include "support/mongo_server.hpp"
#include "support/tcp_proxy.hpp"

using namespace minibatch::test;

// The proxy before the server that it is made for.
BOOST_AUTO_TEST_SUITE(tcp_proxies_before_mongo)

BOOST_AUTO_TEST_CASE(an_insert_whose_answer_is_lost_has_happened) {
    mongo_server const server;
    tcp_proxy proxy(server.port());
    auto const url = server.url("t", proxy.port()) + "&retryWrites=false";
    auto insert = [&](int number) {
        return mongo_command(url, R"({"insert": "c", "documents": [{"_id": )" + std::to_string(number) + "}]}");
    };
    auto there = [&](int number) {
        auto const answer = server.command("t", R"({"count": "c", "query": {"_id": )" + std::to_string(number) + "}}");
        return answer.find("\"n\" : 1,") != std::string::npos;
    };
    insert(0);
    BOOST_TEST(there(0));

    proxy.on_message(lose_answer_to("insert", 2));
    insert(1);
    BOOST_CHECK_THROW(insert(2), std::runtime_error);
    BOOST_TEST(there(2));
    BOOST_TEST(proxy.counts().lost_answers == 1u);
    insert(3);
    BOOST_TEST(there(3));

    proxy.on_message(on_nth("insert", 1, action::close));
    BOOST_CHECK_THROW(insert(4), std::runtime_error);
    BOOST_TEST(!there(4));

    proxy.restore();
    insert(4);
    BOOST_TEST(there(4));
}

BOOST_AUTO_TEST_SUITE_END()
