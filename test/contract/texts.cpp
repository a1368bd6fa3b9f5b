#include <stdlib.h>

#include "contract/stores.hpp"

using namespace minibatch;
using namespace minibatch::test;

BOOST_AUTO_TEST_SUITE(texts)

BOOST_AUTO_TEST_CASE(urls) {
    auto const path = [](std::string const& url) { return parse_url(url).path; };
    BOOST_TEST(path("sqlite:a.db") == "a.db");
    BOOST_TEST(path("SQLite:/x/a%20b%3f.db?synchronous=normal") == "/x/a b?.db");
    BOOST_TEST(path("sqlite:///x/a.db") == "/x/a.db");
    BOOST_TEST(path("memory:") == "");
    BOOST_TEST(path("memory:n") == "n");
    std::string text;
    for (std::string const bad :
         {"", "a.db", "sqlite:", "sqlite::memory:", "sqlite:a%2", "sqlite:a%zz", "sqlite:a%00", "sqlite://host/a",
          "sqlite:a?synchronous=off", "sqlite:a?synchronous=full&synchronous=full", "memory:a?b=c", "memory://a"})
        BOOST_TEST((code_of([&] { parse_url(bad); }) == errc::invalid_url), bad);
    BOOST_TEST((code_of([&] { parse_url("sqlite:a?sync=full"); }, &text) == errc::invalid_url));
    BOOST_TEST(text.find("'sync'") != text.npos);
    BOOST_TEST((code_of([&] { parse_url("redis://u:geheim@h"); }, &text) == errc::invalid_url));
    BOOST_TEST(text.find("redis") != text.npos);
    BOOST_TEST(text.find("geheim") == text.npos);
    BOOST_TEST(redact("mongodb://u:p/@?w@host/db") == "mongodb://***@host/db");
    BOOST_TEST(redact("sqlite:a@b") == "sqlite:a@b");
}

BOOST_AUTO_TEST_CASE(the_url_from_the_environment) {
    for (auto const* name : {"MINIBATCH_URL", "MINIBATCH_MONGO_URL", "MONGO_URL"}) ::unsetenv(name);
    BOOST_TEST(default_url() == "sqlite:minibatch.db");
    ::setenv("MONGO_URL", "mongodb://a/b", 1);
    BOOST_TEST(default_url() == "mongodb://a/b");
    ::setenv("MINIBATCH_URL", "memory:", 1);
    BOOST_TEST(default_url() == "memory:");
    ::setenv("MINIBATCH_URL", "", 1);
    BOOST_TEST(default_url() == "mongodb://a/b");
    ::unsetenv("MINIBATCH_URL");
    ::unsetenv("MONGO_URL");
}

BOOST_AUTO_TEST_CASE(memory_is_shared_by_name_while_open) {
    auto a = open_store("memory:shared");
    auto const incarnation = a->open_stream("s", 1, {}, soon()).incarnation;
    BOOST_TEST(open_store("memory:shared")->find_stream("s", soon())->incarnation == incarnation);
    BOOST_TEST(!open_store("memory:other")->find_stream("s", soon()));
    BOOST_TEST(!open_store("memory:")->find_stream("s", soon()));
    a.reset();
    BOOST_TEST(!open_store("memory:shared")->find_stream("s", soon()));
}

BOOST_AUTO_TEST_CASE(progress_details) {
    progress value;
    BOOST_TEST(encode_details(value) == R"({"committed":[],"recorded":[],"failures":[]})");
    value.low = 3;
    value.committed = {{4, 5}, {7, 9}};
    value.recorded = {{{{3, 4}}, 1, 2, window_reason::custom, 5}};
    value.failures = {{3, 1}};
    BOOST_TEST(encode_details(value).find("windows_done") == std::string::npos);
    value.windows_done = {{-5, 6}, {8, 9}};
    value.empty_failures = {{-5, 2}};
    progress read;
    read.low = 3;
    decode_details(encode_details(value), read);
    BOOST_TEST((read == value));
    for (std::string const bad :
         {"",
          "[]",
          "{}",
          "null",
          R"({"committed":[],"recorded":[]})",
          R"({"committed":[],"recorded":[],"failures":[],"more":1})",
          R"({"committed":[[2,4]],"recorded":[],"failures":[]})",
          R"({"committed":[[7,8],[4,5]],"recorded":[],"failures":[]})",
          R"({"committed":[[4,8],[7,9]],"recorded":[],"failures":[]})",
          R"({"committed":[[5,5]],"recorded":[],"failures":[]})",
          R"({"committed":[[5]],"recorded":[],"failures":[]})",
          R"({"committed":[[5,9223372036854775808]],"recorded":[],"failures":[]})",
          R"({"committed":[[5,6.5]],"recorded":[],"failures":[]})",
          R"({"committed":[],"recorded":[],"failures":[[1,0]]})",
          R"({"committed":[],"recorded":[],"failures":[[1,3000000000]]})",
          R"({"committed":[],"recorded":[],"windows_done":[]})",
          R"({"committed":[],"recorded":[],"failures":[],"windows_done":[[1,2],[2,3]]})",
          R"({"committed":[],"recorded":[],"failures":[],"windows_done":[[3,4],[1,2]]})",
          R"({"committed":[],"recorded":[],"failures":[],"windows_done":[[4,4]]})",
          R"({"committed":[],"recorded":[],"failures":[],"empty_failures":[[4,0]]})",
          R"({"committed":[],"recorded":[{"offsets":[],"start":1,"end":2}],"failures":[]})",
          R"({"committed":[],"recorded":[{"offsets":[],"start":1,"end":2,"reason":"x"}],"failures":[]})",
          R"({"committed":[],"recorded":[{"offsets":[],"start":1,"end":2,"reason":"time","x":1}],"failures":[]})"}) {
        BOOST_TEST((code_of([&] { decode_details(bad, read); }) == errc::corrupt), bad);
        BOOST_TEST((read == value));
    }
}

BOOST_AUTO_TEST_SUITE_END()
