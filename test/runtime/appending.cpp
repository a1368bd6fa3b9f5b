#include <array>
#include <list>
#include <minibatch.hpp>
#include <ranges>

#include "support/coroutine.hpp"
#include "support/temporary_directory.hpp"

namespace asio = boost::asio;
using minibatch::errc;

BOOST_AUTO_TEST_SUITE(appending)

namespace {

asio::awaitable<std::vector<std::string>> texts_in(minibatch::stream stream, int partition = 0) {
    std::vector<std::string> found;
    auto const messages = co_await stream.peek(partition, 0, 100);
    for (auto const& message : messages) found.emplace_back(message.text());
    co_return found;
}

}  // namespace

COROUTINE_TEST(texts_are_appended_as_one_batch) {
    auto const db = co_await minibatch::connect("memory:");
    auto stream = co_await minibatch::stream::get_or_create(db, "s");
    std::vector<std::string> const first{R"({"a":1})", R"({"a": 2})"};
    std::int64_t offset = co_await stream.append_json(first);
    BOOST_TEST(offset == 0);
    std::list<std::string_view> const second{R"({"a":3})"};
    offset = co_await stream.append_json(second);
    BOOST_TEST(offset == 2);
    std::array<char const*, 2> const third{R"({"a":4})", R"({"a":5})"};
    offset = co_await stream.append_json(third);
    BOOST_TEST(offset == 3);
    auto made =
        std::views::iota(6, 8) | std::views::transform([](int i) { return "{\"a\":" + std::to_string(i) + "}"; });
    offset = co_await stream.append_json(made);
    BOOST_TEST(offset == 5);
    auto const found = co_await texts_in(stream);
    std::vector<std::string> const expected{R"({"a":1})", R"({"a": 2})", R"({"a":3})", R"({"a":4})",
                                            R"({"a":5})", R"({"a":6})",  R"({"a":7})"};
    BOOST_TEST(found == expected, boost::test_tools::per_element());
}

COROUTINE_TEST(texts_go_to_the_partition_of_their_key) {
    auto const db = co_await minibatch::connect("memory:");
    minibatch::stream_options const options{.partitions = 8};
    auto stream = co_await minibatch::stream::get_or_create(db, "s", options);
    minibatch::append_options const keyed{.key = "k"};
    std::vector<std::string> const batch{R"({"a":1})", R"({"a":2})"};
    auto const one = co_await stream.append_json(R"({"a":0})", keyed);
    for (int i = 0; i < 3; ++i) {
        auto const many = co_await stream.append_json(batch, keyed);
        BOOST_TEST(many.partition == one.partition);
        BOOST_TEST(many.offset == 1 + 2 * i);
    }
}

COROUTINE_TEST(one_bad_text_refuses_the_batch) {
    auto const db = co_await minibatch::connect("memory:");
    auto stream = co_await minibatch::stream::get_or_create(db, "s");
    std::vector<std::pair<std::vector<std::string>, errc>> const wrong{
        {{R"({"a":1})", "{}", R"({"a":)"}, errc::invalid_document},
        {{"[]"}, errc::invalid_document},
        {{}, errc::invalid_argument}};
    for (auto const& [texts, expected] : wrong) {
        std::string diagnostics;
        errc found{};
        try {
            co_await stream.append_json(texts);
        } catch (minibatch::error const& problem) {
            found = static_cast<errc>(problem.code().value());
            diagnostics = problem.what();
        }
        BOOST_TEST((found == expected), diagnostics);
        if (texts.size() == 3)
            BOOST_TEST(diagnostics.find("document 2 of the batch") != std::string::npos, diagnostics);
    }
    auto const found = co_await texts_in(stream);
    BOOST_TEST(found.empty());
}

// The end of the last handle waits for what it handed over, also for the buffer of a producer.
COROUTINE_TEST(what_a_destroyed_producer_held_is_written) {
    minibatch::test::temporary_directory const directory;
    auto const url = "sqlite:" + (directory / "test.db");
    for (std::int64_t round = 1; round <= 20; ++round) {
        {
            auto const db = co_await minibatch::connect(url);
            auto stream = co_await minibatch::stream::get_or_create(db, "s");
            auto producer = stream.make_producer();
            boost::json::object const document{{"round", round}};
            co_await producer.append(document);
        }
        auto const db = co_await minibatch::connect(url);
        auto stream = co_await minibatch::stream::get_or_create(db, "s");
        auto const info = co_await stream.info();
        BOOST_TEST(info.messages == round);
    }
}

BOOST_AUTO_TEST_SUITE_END()
