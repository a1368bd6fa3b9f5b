#include <minibatch.hpp>

#include "mongo/support.hpp"
#include "support/coroutine.hpp"

using namespace minibatch;
using namespace minibatch::test;

BOOST_AUTO_TEST_SUITE(documents)

namespace {

constexpr std::size_t limit = std::size_t{15} << 20;

/// `{"a":[1,1,1,…,"xxx"]}` of exactly so many bytes. Each number takes 2 bytes here and over 10 in BSON.
std::string many_numbers(std::size_t size) {
    std::string const head = "{\"a\":[1";
    std::string const tail = ",\"";
    std::string text = head;
    text.reserve(size);
    auto const numbers = (size - head.size() - 5 - 16) / 2;
    for (std::size_t i = 0; i < numbers; ++i) text += ",1";
    text += tail;
    text += std::string(size - text.size() - 3, 'x');
    return text + "\"]}";
}

std::string one_text(std::size_t size) { return "{\"a\":\"" + std::string(size - 8, 'x') + "\"}"; }

}  // namespace

/// What is allowed is the same on every store, although BSON is larger and a document of MongoDB has 16 MiB.
COROUTINE_TEST(near_and_over_the_limits) {
    auto const db = co_await connect(fresh_database_url());
    std::string const name = "s";
    auto to = co_await stream::get_or_create(db, name);
    std::vector<std::string> const large{many_numbers(limit), one_text(limit), many_numbers(1 << 20)};
    std::int64_t next = 0;
    for (auto const& text : large) {
        BOOST_TEST_CONTEXT(text.substr(0, 20)) {
            auto const where = co_await to.append_json(text);
            BOOST_TEST(where.offset == next++);
        }
    }
    for (auto const& text : {many_numbers(limit + 1), one_text(limit + 1)}) {
        error_code code;
        std::string said;
        try {
            co_await to.append_json(text);
        } catch (error const& problem) {
            code = problem.code();
            said = problem.diagnostics();
        }
        BOOST_TEST((code == errc::document_too_large), said);
        BOOST_TEST(said.size() < 1'000u);
    }
    for (std::size_t i = 0; i < large.size(); ++i) {
        auto const got = co_await to.peek(0, static_cast<std::int64_t>(i), 1);
        BOOST_REQUIRE(got.size() == 1u);
        BOOST_TEST((got[0].text() == large[i]));
    }
}

BOOST_AUTO_TEST_SUITE_END()
