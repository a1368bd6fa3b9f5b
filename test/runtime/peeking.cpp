#include <limits>
#include <minibatch.hpp>
#include <tuple>

#include "support/coroutine.hpp"
#include "support/rig.hpp"
#include "support/temporary_directory.hpp"

namespace asio = boost::asio;

BOOST_AUTO_TEST_SUITE(peeking)

namespace {

/// A stream with 100 documents in 10 segments.
asio::awaitable<minibatch::stream> filled(std::string url) {
    auto const db = co_await minibatch::connect(std::move(url));
    auto made = co_await minibatch::stream::get_or_create(db, "s");
    for (int begin = 0; begin < 100; begin += 10) {
        std::vector<std::string> texts;
        for (int i = begin; i < begin + 10; ++i) texts.push_back("{\"n\":" + std::to_string(i) + "}");
        co_await made.append_json(texts);
    }
    co_return made;
}

asio::awaitable<std::vector<std::int64_t>> offsets(minibatch::stream& from, std::int64_t begin, std::size_t limit) {
    std::vector<std::int64_t> found;
    auto const messages = co_await from.peek(0, begin, limit);
    for (auto const& each : messages) found.push_back(each.offset());
    co_return found;
}

std::vector<std::int64_t> numbers(std::int64_t begin, std::int64_t end) {
    std::vector<std::int64_t> out;
    for (auto i = begin; i < end; ++i) out.push_back(i);
    return out;
}

}  // namespace

COROUTINE_TEST(negative_offsets_count_from_the_end) {
    minibatch::test::temporary_directory const directory;
    for (auto const& url : {std::string("memory:"), "sqlite:" + (directory / "test.db")}) {
        auto stream = co_await filled(url);
        for (auto const& [begin, limit, first, end] :
             std::vector<std::tuple<std::int64_t, std::size_t, std::int64_t, std::int64_t>>{
                 {-15, 100, 85, 100},
                 {-15, 3, 85, 88},
                 {-1, 1, 99, 100},
                 {-100, 1'000, 0, 100},
                 {-1'000, 5, 0, 5},
                 {std::numeric_limits<std::int64_t>::min(), 5, 0, 5},
                 {98, 100, 98, 100},
                 {100, 100, 100, 100}}) {
            auto const found = co_await offsets(stream, begin, limit);
            auto const expected = numbers(first, end);
            BOOST_TEST(found == expected, boost::test_tools::per_element());
        }
        co_await stream.clear();
        auto const cleared = co_await offsets(stream, -10, 100);
        BOOST_TEST(cleared.empty());
        co_await stream.append_json("{}");
        auto const next = co_await offsets(stream, -10, 100);
        BOOST_TEST(next == numbers(100, 101), boost::test_tools::per_element());
    }
}

namespace {

/// Counts the records that are read.
class counting_store final : public minibatch::test::decorated_store {
  public:
    explicit counting_store(std::shared_ptr<minibatch::store::store> inner) : decorated_store(std::move(inner)) {}
    std::size_t records = 0;

    minibatch::store::read_result read(minibatch::store::log_id log, std::int64_t from,
                                       minibatch::store::read_limits limits,
                                       minibatch::store::steady_time deadline) override {
        auto found = decorated_store::read(log, from, limits, deadline);
        records += found.records.size();
        return found;
    }

  private:
    void before(std::string_view) override {}
};

}  // namespace

BOOST_AUTO_TEST_CASE(what_comes_before_is_not_read) {
    minibatch::test::world w;
    auto const counting = std::make_shared<counting_store>(w.memory("peeking"));
    auto const db = w.open(counting);
    auto stream = w.finish(minibatch::stream::get_or_create(db, "s"));
    for (int i = 0; i < 1'000; ++i) w.finish(stream.append_json("{}"));
    counting->records = 0;
    auto const found = w.finish(stream.peek(0, -3, 10));
    BOOST_TEST(found.size() == 3U);
    BOOST_TEST(counting->records == 3U);
}

BOOST_AUTO_TEST_SUITE_END()
