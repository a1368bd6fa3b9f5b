// Windows taken, committed and failed from eight threads: each message is committed once, in one window.

#include "threads/support.hpp"

using namespace minibatch;
using namespace minibatch::test;

BOOST_AUTO_TEST_SUITE(windows)
namespace {

constexpr int window_count = 100;
constexpr int window_size = 3;

enum class end { nothing, committed, unknown };
struct taken {
    std::string id;
    end how = end::nothing;
};

asio::awaitable<taken> take(consumer& from, int i) {
    auto window = co_await from.next_window();
    taken result{window->id(), end::nothing};
    if (i % 7 == 0) co_return result;  // destroyed unseen: delivered again at once
    if (i % 7 == 1) {
        co_await window->fail("on purpose", milliseconds(0));
        co_return result;
    }
    if (window->data().size() != static_cast<std::size_t>(window_size))
        throw std::logic_error("a window is incomplete");
    try {
        co_await window->commit();
        result.how = end::committed;
    } catch (error const& problem) {
        if (problem.code() != errc::outcome_unknown) throw;
        result.how = end::unknown;
    }
    co_return result;
}

}  // namespace

BOOST_AUTO_TEST_CASE(each_is_committed_once) {
    for_every_calling([](std::string const& url, callers& from, calling how) {
        auto const db = wait_for(from, connect(url));
        auto source = wait_for(from, stream::get_or_create(db, "w" + std::to_string(static_cast<int>(how))));
        std::vector<boost::json::value> documents;
        for (int i = 0; i < window_count * window_size; ++i) documents.emplace_back(reading(i));
        wait_for(from, source.append(documents));
        consumer_options const options{.keep = true, .max_in_flight = 32};
        auto windows = wait_for(from, source.consume(count_window(window_size), options));
        std::map<std::string, end> ends;
        int turn = 0;
        for (std::int64_t lag = window_count * window_size; lag > 0; ++turn) {
            from.each(
                static_cast<int>(lag / window_size), how, [&](int i) { return take(windows, i + turn); },
                [&](int, error_code code, std::optional<taken> each) {
                    BOOST_TEST((!code || by_cancellation(code, how)), code.message());
                    if (!each || each->how == end::nothing) return;
                    BOOST_TEST((!ends.contains(each->id) || ends[each->id] == end::unknown));
                    ends[each->id] = each->how;
                });
            lag = wait_for(from, source.info()).groups.at(0).lag;
        }
        BOOST_TEST(ends.size() <= static_cast<std::size_t>(window_count));
        if (how != calling::cancelled) BOOST_TEST(ends.size() == static_cast<std::size_t>(window_count));
        windows.stop();
        BOOST_TEST(!wait_for(from, windows.next_window()).has_value());
    });
}

// Many wait, and some of them leave, before there is anything to take.
BOOST_AUTO_TEST_CASE(waiting_comes_first) {
    for_every_calling([](std::string const& url, callers& from, calling how) {
        auto const db = wait_for(from, connect(url));
        auto source = wait_for(from, stream::get_or_create(db, "f" + std::to_string(static_cast<int>(how))));
        consumer_options const options{.max_in_flight = 32};
        auto windows = wait_for(from, source.consume(count_window(1), options));
        int delivered = 0;
        int left = 0;
        auto appending = std::async(std::launch::async, [&] {
            for (int i = 0; i < 100; ++i) wait_for(from, source.append_json("{}"));
        });
        from.each(
            100, how,
            [&](int) -> asio::awaitable<void> {
                auto window = co_await windows.next_window();
                co_await window->commit();
            },
            [&](int, error_code code, std::optional<std::monostate>) {
                BOOST_TEST((!code || by_cancellation(code, how)), code.message());
                ++(code ? left : delivered);
            });
        appending.get();
        BOOST_TEST(delivered + left == 100);
        if (how != calling::cancelled) BOOST_TEST(delivered == 100);
    });
}

BOOST_AUTO_TEST_SUITE_END()
