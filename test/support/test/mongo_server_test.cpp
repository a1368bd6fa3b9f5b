#include "support/mongo_server.hpp"

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>

#include "support/certificates.hpp"
#include "support/mongo_command.hpp"
#include "support/mongo_database.hpp"

using namespace minibatch::test;

BOOST_AUTO_TEST_SUITE(mongo_servers)

namespace {

bool holds(std::string const& text, std::string const& part) { return text.find(part) != std::string::npos; }

/// For BOOST_CHECK_EXCEPTION: the message holds this.
auto saying(std::string const& part) {
    return [part](std::exception const& failure) {
        BOOST_TEST_MESSAGE(failure.what());
        return holds(failure.what(), part);
    };
}

void insert(std::string const& url, int number) {
    mongo_command(url, R"({"insert": "c", "documents": [{"_id": )" + std::to_string(number) +
                           R"(}], "writeConcern": {"w": "majority", "j": true}})");
}

int count(std::string const& url) {
    auto const answer = mongo_command(url, R"({"count": "c", "query": {}})");
    auto const at = answer.find("\"n\" : ");
    BOOST_REQUIRE_MESSAGE(at != std::string::npos, answer);
    return std::stoi(answer.substr(at + 6));
}

/// A variable of the environment, set or taken away as long as this is there.
class environment {
  public:
    environment(char const* name, char const* value) : name_(name) {
        auto const* old = std::getenv(name);
        if (old) old_ = old;
        if (value)
            ::setenv(name, value, 1);
        else
            ::unsetenv(name);
    }
    ~environment() {
        if (old_)
            ::setenv(name_, old_->c_str(), 1);
        else
            ::unsetenv(name_);
    }
    environment(environment const&) = delete;
    environment& operator=(environment const&) = delete;

  private:
    char const* name_;
    std::optional<std::string> old_;
};

}  // namespace

BOOST_AUTO_TEST_CASE(what_was_acknowledged_survives_kills) {
    mongo_server server({.sync_on_commit = true});
    auto const url = server.url("t");
    auto const port = server.port();
    int acknowledged = 0;
    for (int round = 0; round < 3; ++round) {
        // Until the server is away; each acknowledged by the disk.
        auto writing = std::async(std::launch::async, [&] {
            try {
                while (true) {
                    insert(url + "&serverSelectionTimeoutMS=1000", acknowledged);
                    ++acknowledged;
                }
            } catch (std::runtime_error const&) {
            }
        });
        // In the middle of the writing, as far as can be told from here.
        while (count(url) < (round + 1) * 20) {
        }
        server.kill();
        writing.get();
        server.start();
        BOOST_TEST(server.port() == port);
        auto const there = count(url);
        // The one that was not acknowledged may be there, too.
        BOOST_TEST((there == acknowledged || there == acknowledged + 1),
                   there << " of " << acknowledged << " acknowledged documents are there");
        acknowledged = there;
    }
}

BOOST_AUTO_TEST_CASE(stopped_and_started_from_another_thread) {
    mongo_server server;
    insert(server.url("t"), 1);
    std::thread([&] {
        server.stop();
        server.start();
    }).join();
    BOOST_TEST(count(server.url("t")) == 1);
    BOOST_CHECK_EXCEPTION(server.start(), std::runtime_error, saying("runs already"));
}

BOOST_AUTO_TEST_CASE(paused_and_resumed) {
    mongo_server server;
    server.pause();
    BOOST_CHECK_EXCEPTION(
        mongo_command(server.url("t") + "&serverSelectionTimeoutMS=300&connectTimeoutMS=300", R"({"ping": 1})"),
        std::runtime_error, saying("No suitable servers"));
    server.resume();
    insert(server.url("t"), 1);
    BOOST_TEST(count(server.url("t")) == 1);
}

BOOST_AUTO_TEST_CASE(users) {
    mongo_server server({.auth = true});
    insert(server.url("t"), 1);
    server.add_user("reader", "pw", R"([{"role": "read", "db": "t"}])");
    auto const reader = server.url_for("reader", "pw", "t");
    BOOST_TEST(count(reader) == 1);
    BOOST_CHECK_EXCEPTION(insert(reader, 2), std::runtime_error, saying("not authorized"));
    BOOST_CHECK_EXCEPTION(count(server.url_for("reader", "wrong", "t")), std::runtime_error, saying("uthentication"));
    auto const nobody = "mongodb://127.0.0.1:" + std::to_string(server.port()) + "/t";
    BOOST_CHECK_EXCEPTION(count(nobody), std::runtime_error, saying("authentication"));
    server.kill();
    server.start();
    BOOST_CHECK_EXCEPTION(count(nobody), std::runtime_error, saying("authentication"));
    BOOST_TEST(count(server.url("t")) <= 1);
}

BOOST_AUTO_TEST_CASE(encrypted) {
    certificates const files;
    mongo_server server({.tls = &files});
    insert(server.url("t"), 1);
    BOOST_TEST(count(server.url("t")) == 1);
    auto const host = "mongodb://127.0.0.1:" + std::to_string(server.port()) + "/t?serverSelectionTimeoutMS=1000";
    insert("mongodb://localhost:" + std::to_string(server.port()) + "/t?tls=true&tlsCAFile=" + files.authority(), 2);
    BOOST_CHECK_EXCEPTION(count(host + "&tls=true&tlsCAFile=" + files.unknown_authority()), std::runtime_error,
                          saying("certificate verify failed"));
    BOOST_CHECK_THROW(count(host + "&tls=true"), std::runtime_error);
    BOOST_CHECK_THROW(count(host), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(standalone_or_a_replica_set) {
    mongo_server const alone({.standalone = true});
    BOOST_TEST(!holds(alone.command("admin", R"({"hello": 1})"), "setName"));
    mongo_server const member;
    BOOST_TEST(holds(member.command("admin", R"({"hello": 1})"), "setName"));
}

BOOST_AUTO_TEST_CASE(a_missing_server_is_a_failure_that_says_what_to_do) {
    environment const elsewhere("MINIBATCH_TEST_MONGO_SERVER", "/none/server");
    BOOST_CHECK_EXCEPTION(mongo_server(), std::runtime_error, saying("'/none/server': run tools/test once"));
}

BOOST_AUTO_TEST_CASE(a_program_that_is_no_server) {
    environment const elsewhere("MINIBATCH_TEST_MONGO_SERVER", "/bin/false");
    BOOST_CHECK_EXCEPTION(mongo_server(), std::runtime_error, saying("ended instead of listening"));
}

BOOST_AUTO_TEST_CASE(databases_of_the_shared_server) {
    environment const none("MINIBATCH_TEST_MONGO_URL", nullptr);
    auto const first = fresh_database_url();
    auto const second = fresh_database_url();
    insert(first, 1);
    BOOST_TEST(count(first) == 1);
    BOOST_TEST(count(second) == 0);
    BOOST_TEST(holds(first, ":" + std::to_string(shared_mongo_server().port()) + "/minibatch_test_"));
}

BOOST_AUTO_TEST_CASE(databases_of_a_named_server) {
    // The shared one lives until the databases have been dropped.
    auto const port = std::to_string(shared_mongo_server().port());
    environment const named("MINIBATCH_TEST_MONGO_URL", ("mongodb://localhost:" + port + "/x?appName=y").c_str());
    auto const url = fresh_database_url();
    BOOST_TEST(url.starts_with("mongodb://localhost:" + port + "/minibatch_test_"));
    BOOST_TEST(url.ends_with("?appName=y"));
    insert(url, 1);
    BOOST_TEST(count(url) == 1);
    BOOST_TEST(url_of_database("mongodb://a:b@h1,h2:3", "d") == "mongodb://a:b@h1,h2:3/d?appName=minibatch-test");
    BOOST_TEST(url_of_database("mongodb://h/?x=a/b", "d") == "mongodb://h/d?x=a/b");
    BOOST_TEST(url_of_database("mongodb://h?x=a/b", "d") == "mongodb://h/d?x=a/b");
    BOOST_CHECK_EXCEPTION(url_of_database("h:1", "d"), std::runtime_error, saying("begins with mongodb://"));
}

BOOST_AUTO_TEST_SUITE_END()
