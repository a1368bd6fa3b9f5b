#include "store/mongo/wire/settings.hpp"

#include <unistd.h>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <minibatch/error.hpp>
#include <string>
#include <vector>

#include "store/mongo/wire/server_traits.hpp"
#include "store/url.hpp"

using namespace minibatch;
using namespace minibatch::store;
using mongo::parse_settings;

BOOST_AUTO_TEST_SUITE(mongo_settings)

namespace {

std::string refusal(std::string const& url) {
    try {
        parse_settings(url, 4);
    } catch (error const& problem) {
        BOOST_TEST((problem.code() == errc::invalid_url), url);
        return problem.diagnostics();
    }
    BOOST_ERROR("accepted: " << url);
    return {};
}

bool holds(std::string const& text, std::string const& part) { return text.find(part) != std::string::npos; }

struct wrong_url {
    std::string url;
    std::string says;
};
std::ostream& operator<<(std::ostream& out, wrong_url const& what) { return out << what.url; }

mongo::server_traits read(char const* json) {
    bson_error_t problem{};
    bson::document hello;
    BOOST_REQUIRE(bson_init_from_json(hello.get(), json, -1, &problem));
    return mongo::read_hello(bson::fields(*hello.get(), "hello"), "db1:27017");
}

}  // namespace

BOOST_AUTO_TEST_CASE(defaults) {
    auto const how = parse_settings("mongodb://db1/numbers", 10);
    auto const* uri = how.uri.get();
    BOOST_TEST(how.database == "numbers");
    BOOST_TEST(how.hosts == "db1:27017");
    BOOST_TEST(how.majority_writes);
    BOOST_TEST(how.journal);
    BOOST_TEST(how.read_concern == "majority");
    BOOST_TEST(!how.retry_writes);
    BOOST_TEST(mongoc_uri_get_option_as_bool(uri, MONGOC_URI_RETRYWRITES, true) == false);
    BOOST_TEST(mongoc_uri_get_appname(uri) == "minibatch");
    BOOST_TEST(mongoc_uri_get_option_as_int32(uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, 0) == 250);
    BOOST_TEST(mongoc_uri_get_option_as_int32(uri, MONGOC_URI_CONNECTTIMEOUTMS, 0) == 2'000);
    BOOST_TEST(mongoc_uri_get_option_as_int32(uri, MONGOC_URI_HEARTBEATFREQUENCYMS, 0) == 2'000);
    BOOST_TEST(mongoc_uri_get_option_as_int32(uri, MONGOC_URI_MAXPOOLSIZE, 0) == 10);
    BOOST_TEST(!mongoc_uri_get_tls(uri));
}

BOOST_AUTO_TEST_CASE(hosts) {
    BOOST_TEST(parse_settings("mongodb://db1,db2:5,db3:27018/d?replicaSet=r", 4).hosts == "db1:27017,db2:5,db3:27018");
    BOOST_TEST(parse_settings("mongodb://[::1]:5/d", 4).hosts == "[::1]:5");
    BOOST_TEST(parse_settings("mongodb://%2Ftmp%2Fmongodb.sock/d", 4).hosts == "/tmp/mongodb.sock");
}

BOOST_AUTO_TEST_CASE(credentials) {
    auto const source = [](std::string const& url) {
        auto const how = parse_settings(url, 4);
        return std::string(mongoc_uri_get_auth_source(how.uri.get()));
    };
    BOOST_TEST(source("mongodb://u:p@h/d") == "admin");
    BOOST_TEST(source("mongodb://u:p@h/d?authSource=other") == "other");
    BOOST_TEST(source("mongodb://u:p@h/d?authsource=other") == "other");
    BOOST_TEST(source("mongodb://u:p@h/d?authMechanism=SCRAM-SHA-256") == "admin");
    BOOST_TEST(source("mongodb://u:p@h/d?authMechanism=scram-sha-256") == "admin");
    BOOST_TEST(source("mongodb://u:p@h/d?authMechanism=SCRAM-SHA-256&authSource=other") == "other");
    BOOST_TEST(source("mongodb://CN%3Du@h/d?authMechanism=MONGODB-X509&tls=true") == "$external");
    auto const how = parse_settings("mongodb://u%40x:p%40ss%2Fw%25@h/d", 4);
    BOOST_TEST(mongoc_uri_get_username(how.uri.get()) == "u@x");
    BOOST_TEST(mongoc_uri_get_password(how.uri.get()) == "p@ss/w%");
    BOOST_TEST(how.hosts == "h:27017");
}

BOOST_AUTO_TEST_CASE(concerns) {
    auto const one = parse_settings("mongodb://h/d?w=1&journal=false&readConcernLevel=local&retryWrites=true", 4);
    BOOST_TEST(!one.majority_writes);
    BOOST_TEST(one.acknowledgements == 1);
    BOOST_TEST(!one.journal);
    BOOST_TEST(one.read_concern == "local");
    BOOST_TEST(one.retry_writes);
    auto const tagged = parse_settings("mongodb://h/d?w=everywhere", 4);
    BOOST_TEST(!tagged.majority_writes);
    BOOST_TEST(tagged.tag == "everywhere");
    BOOST_TEST(tagged.journal);
    BOOST_TEST(parse_settings("mongodb://h/d?w=majority&readConcernLevel=linearizable", 4).majority_writes);
}

BOOST_AUTO_TEST_CASE(url_overrides_defaults) {
    auto const how = parse_settings("mongodb://h/d?appName=x&connectTimeoutMS=77&maxPoolSize=50&tls=true", 4);
    auto const* uri = how.uri.get();
    BOOST_TEST(mongoc_uri_get_appname(uri) == "x");
    BOOST_TEST(mongoc_uri_get_option_as_int32(uri, MONGOC_URI_CONNECTTIMEOUTMS, 0) == 77);
    BOOST_TEST(mongoc_uri_get_option_as_int32(uri, MONGOC_URI_MAXPOOLSIZE, 0) == 50);
    BOOST_TEST(mongoc_uri_get_tls(uri));
    // Fewer would let calls wait for one another.
    auto const few = parse_settings("mongodb://h/d?maxPoolSize=2", 10);
    BOOST_TEST(mongoc_uri_get_option_as_int32(few.uri.get(), MONGOC_URI_MAXPOOLSIZE, 0) == 10);
}

/// In all of them the password, where there is one, is "s3cret".
static std::vector<wrong_url> const wrong_urls{
    {"mongodb://h", "no database is named"},
    {"mongodb://h/", "no database is named"},
    {"mongodb://h/?w=1", "no database is named"},
    {"mongodb://u:s3cret@h", "no database is named"},
    {"mongodb:///d", "'mongodb:///d'"},
    {"mongodb://h:70000/d", "'mongodb://h:70000/d'"},
    {"mongodb://h:/d", "'mongodb://h:/d'"},
    {"mongodb://h/d?w=0", "w=0"},
    {"mongodb://h/d?unknown=1", "unknown parameter 'unknown'"},
    {"mongodb://h/d?w=1&synchronous=full", "unknown parameter 'synchronous'"},
    {"mongodb://u:s3cret@h/d?nonsense=1", "unknown parameter 'nonsense'"},
    {"mongodb://u@h/d", "a password is missing"},
    {"mongodb://u@h/d?authMechanism=SCRAM-SHA-1", "a password"},
    {"mongodb://u@h/d?authMechanism=PLAIN", "a password"},
    {"mongodb://h/d?tls=true&tlsDisableOCSPEndpointCheck=true", "'tlsDisableOCSPEndpointCheck' is not supported"},
    {"mongodb://u:p@s3cret@h/d", "%40"},
    {"mongodb://u:a/s3cret@h/d", "***@h/d"},
    {"mongodb://u:a?s3cret@h/d", "***@h/d"},
    {"mongodb://u:a:s3cret@h/d", "***@h/d"},
    {"mongodb://u:s3cret%zz@h/d", "***@h/d"},
    {"mongodb://u:s3cret%@h/d", "***@h/d"},
    {"mongodb://u:s3cret/d", "***"},
    {"mongodb://u:s3cret", "***"},
    {"mongodb://h/d?tlsCertificateKeyFile=/none/file&tlsCertificateKeyFilePassword=s3cret", "/none/file"},
    {"mongodb://h/d?TLSCERTIFICATEKEYFILEPASSWORD=s3cret&unknown=1", "unknown parameter 'unknown'"},
    {"mongodb://h/d?sslclientcertificatekeypassword=s3cret&unknown=1", "unknown parameter 'unknown'"},
    {"mongodb://u@h/d?authMechanism=MONGODB-AWS&authMechanismProperties=AWS_SESSION_TOKEN:s3cret&x=1",
     "unknown parameter 'x'"},
    {"mongodb://h/d?tls=true&tlsCAFile=/none/authority.pem", "/none/authority.pem"},
    {"mongodb:/u:s3cret@h/d", "***@h/d"},
    {"mongodb:u:s3cret@h/d", "***@h/d"},
    {"mongodb://u:12/x?s3cret@h/d", "***@h/d"},
    {"mongodb://h/d?sslClientCertificateKeyPassword=s3cret&tlsCertificateKeyFilePassword=x", "***"},
    {"mongodb://h/d?tlsCertificateKeyFilePasword=s3cret", "unknown parameter 'tlsCertificateKeyFilePasword'"},
    {"mongodb://h/d?tlsCertificateKeyFilePass%77ord=s3cret", "unknown parameter"},
    {"mongodb://u@h/d?authMechanism=scram-sha-256", "a password"},
    {"mongodb://u:'s3cret'/d?x", "***"},
};

BOOST_DATA_TEST_CASE(wrong, boost::unit_test::data::make(wrong_urls), what) {
    auto const said = refusal(what.url);
    BOOST_TEST(holds(said, what.says), said);
    BOOST_TEST(!holds(said, "s3cret"), said);
    BOOST_TEST(!holds(redact(what.url), "s3cret"), redact(what.url));
}

/// What is meant for MongoDB, but does not say so.
BOOST_AUTO_TEST_CASE(no_password_is_shown_without_a_scheme) {
    for (std::string const url : {"u:s3cret@h:27017/d", "mongodb//u:s3cret@h/d", "mongo://u:s3cret@h/d",
                                  "mongodb.u:s3cret@h/d", "//u:s3cret@h/d"}) {
        BOOST_TEST(!holds(redact(url), "s3cret"), redact(url));
        try {
            parse_url(url);
            BOOST_ERROR("accepted: " << url);
        } catch (error const& problem) {
            BOOST_TEST((problem.code() == errc::invalid_url));
            BOOST_TEST(!holds(problem.diagnostics(), "s3cret"), problem.diagnostics());
        }
    }
}

BOOST_AUTO_TEST_CASE(shows_what_is_not_secret) {
    for (auto const* url : {"mongodb://h:5/d?tls=true", "mongodb://h1:5,h2:6,[::1]:7/d", "mongodb+srv://h/d",
                            "sqlite:a:b.db?synchronous=full", "memory:a", "mongodb://%2Ftmp%2Fx.sock/d"})
        BOOST_TEST(redact(url) == url);
}

/// The driver makes it as the program is loaded; one that is killed would leave it behind.
BOOST_AUTO_TEST_CASE(removes_the_file_of_counters) {
    BOOST_TEST(::access(("/dev/shm/mongoc-" + std::to_string(::getpid())).c_str(), F_OK) != 0);
}

BOOST_AUTO_TEST_CASE(greetings) {
    auto const now = R"("localTime": {"$date": {"$numberLong": "1234"}})";
    auto const hello = [&](std::string const& rest) { return "{" + rest + (rest.empty() ? "" : ",") + now + "}"; };
    auto const member = read(hello(R"("maxWireVersion": 8, "setName": "r")").c_str());
    BOOST_TEST(member.transactions);
    BOOST_TEST(member.local_time == 1'234);
    BOOST_TEST(read(hello(R"("maxWireVersion": 21, "msg": "isdbgrid")").c_str()).transactions);
    BOOST_TEST(!read(hello(R"("maxWireVersion": 21)").c_str()).transactions);
    for (auto const& old : {hello(R"("maxWireVersion": 7, "setName": "r")"), hello("")}) {
        try {
            read(old.c_str());
            BOOST_ERROR("accepted: " << old);
        } catch (error const& problem) {
            BOOST_TEST((problem.code() == errc::unsupported));
            BOOST_TEST(holds(problem.diagnostics(), "MongoDB at db1:27017 is too old"), problem.diagnostics());
            BOOST_TEST(holds(problem.diagnostics(), "4.2 or later"), problem.diagnostics());
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
