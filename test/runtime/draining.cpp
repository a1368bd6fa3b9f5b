#include <minibatch.hpp>

#include "support/coroutine.hpp"
#include "support/temporary_directory.hpp"

namespace asio = boost::asio;
namespace json = boost::json;

BOOST_AUTO_TEST_SUITE(draining)

namespace {

/// Windows of two; messages with `"drop": true` are discarded when they come first.
struct pairs : minibatch::window_emitter {
    minibatch::readiness window_ready(std::span<minibatch::message const> pending, minibatch::time_point) override {
        if (fails && pending.size() == 1) throw std::runtime_error("no partner");
        minibatch::readiness answer;
        if (!pending.empty() && pending.front().data().as_object().contains("drop")) {
            answer.discard.push_back(pending.front().offset());
        } else if (pending.size() >= 2) {
            answer.ready = true;
            answer.take = {pending[0].offset(), pending[1].offset()};
        }
        return answer;
    }
    bool fails = false;
};

std::vector<std::string> urls(minibatch::test::temporary_directory const& directory) {
    return {"memory:", "sqlite:" + (directory / "test.db")};
}

asio::awaitable<minibatch::stream> stream_of(std::string url, std::vector<json::value> const& documents) {
    auto const db = co_await minibatch::connect(url);
    auto stream = co_await minibatch::stream::get_or_create(db, "s");
    co_await stream.append(documents);
    co_return stream;
}

json::value const plain = json::object{{"a", 1}};
json::value const dropped = json::object{{"drop", true}};

}  // namespace

COROUTINE_TEST(a_custom_emitter_is_asked_to_the_end) {
    minibatch::test::temporary_directory const directory;
    std::vector<json::value> const documents{plain, plain, dropped, plain, plain, dropped, plain};
    for (auto const& url : urls(directory)) {
        auto stream = co_await stream_of(url, documents);
        auto consumer = co_await stream.consume(std::make_shared<pairs>());
        consumer.stop(minibatch::drain::flush);
        std::vector<std::string> found;
        while (auto window = co_await consumer.next_window()) {
            found.push_back(window->id() + " " + std::string(to_string(window->reason())));
            co_await window->commit();
        }
        std::vector<std::string> const expected{"default/0/0-1 custom", "default/0/3-4 custom", "default/0/6-6 flush"};
        BOOST_TEST(found == expected, boost::test_tools::per_element());
        auto const info = co_await stream.info();
        BOOST_TEST(info.groups.at(0).lag == 0);
    }
}

COROUTINE_TEST(an_emitter_that_fails_at_the_end_loses_nothing) {
    minibatch::test::temporary_directory const directory;
    std::vector<json::value> const documents{plain, plain, plain};
    for (auto const& url : urls(directory)) {
        auto stream = co_await stream_of(url, documents);
        auto const emitter = std::make_shared<pairs>();
        emitter->fails = true;
        auto consumer = co_await stream.consume(emitter);
        consumer.stop(minibatch::drain::flush);
        auto first = co_await consumer.next_window();
        BOOST_TEST(first->size() == 2U);
        co_await first->commit();
        bool reported = false;
        try {
            auto const nothing = co_await consumer.next_window();
            BOOST_TEST(!nothing.has_value());  // it was reported while nobody waited
        } catch (minibatch::error const& problem) {
            reported = problem.code() == minibatch::errc::emitter_failed;
            BOOST_TEST(reported, problem.what());
        }
        if (reported) BOOST_TEST(!(co_await consumer.next_window()).has_value());
        auto const info = co_await stream.info();
        BOOST_TEST(info.groups.at(0).lag == 1);
    }
}

COROUTINE_TEST(a_backlog_is_cut_as_usual_before_the_remainder) {
    minibatch::test::temporary_directory const directory;
    std::vector<json::value> const documents(25, plain);
    for (auto const& url : urls(directory)) {
        auto stream = co_await stream_of(url, documents);
        for (int i = 0; i < 3; ++i) co_await stream.append(documents);  // 100 messages in four segments
        auto consumer = co_await stream.consume(minibatch::count_window(30));
        consumer.stop(minibatch::drain::flush);
        std::vector<std::string> found;
        while (auto window = co_await consumer.next_window()) {
            found.push_back(std::string(to_string(window->reason())) + " " + std::to_string(window->size()));
            co_await window->commit();
        }
        std::vector<std::string> const expected{"count 30", "count 30", "count 30", "flush 10"};
        BOOST_TEST(found == expected, boost::test_tools::per_element());
    }
}

// Its consumer has only just been made, and may not even have begun.
COROUTINE_TEST(a_handle_that_is_closed_at_once_gives_the_lease_back) {
    minibatch::test::temporary_directory const directory;
    auto const url = "sqlite:" + (directory / "test.db");
    for (int i = 0; i < 50; ++i) {
        {
            auto const db = co_await minibatch::connect(url);
            auto stream = co_await minibatch::stream::get_or_create(db, "s");
            auto how = minibatch::count_window(1);
            auto const consumer = co_await stream.consume(how);
        }
        auto const db = co_await minibatch::connect(url);
        auto stream = co_await minibatch::stream::get_or_create(db, "s");
        auto const info = co_await stream.info();
        BOOST_TEST(info.groups.at(0).owner == "");
    }
}

BOOST_AUTO_TEST_SUITE_END()
