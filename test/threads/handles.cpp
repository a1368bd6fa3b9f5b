// What makes handles, and what reads and changes streams, from eight threads.

#include "threads/support.hpp"

using namespace minibatch;
using namespace minibatch::test;

BOOST_AUTO_TEST_SUITE(handles)
namespace {

asio::awaitable<void> call(database const& db, std::string const& url, int i) {
    auto const name = "h" + std::to_string(i % 3);
    switch (i % 9) {
        case 0:
            co_await stream::get_or_create(db, name);
            break;
        case 1: {
            auto found = co_await db.find_stream(name);
            co_await found.info();
            break;
        }
        case 2:
            co_await db.streams();
            break;
        case 3:
            co_await db.delete_stream(name);
            break;
        case 4:
            co_await db.delete_group(name, "default");
            break;
        case 5: {
            auto found = co_await stream::get_or_create(db, name);
            co_await found.append_json("{}");
            co_await found.peek(0, 0, 10);
            break;
        }
        case 6: {
            auto found = co_await stream::get_or_create(db, name);
            co_await found.clear();
            break;
        }
        case 7: {
            auto found = co_await stream::get_or_create(db, name);
            auto windows = co_await found.consume(count_window(1));
            co_await windows.stop()(asio::use_awaitable);
            co_await windows.next_window();
            break;
        }
        default: {
            auto const other = co_await connect(url);
            co_await other.streams();
            break;
        }
    }
}

/// Streams come and go meanwhile.
bool expected(error_code code) {
    return code == errc::stream_not_found || code == errc::stream_deleted || code == errc::group_not_found ||
           code == errc::group_in_use;
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_operation) {
    for_every_calling([](std::string const& url, callers& from, calling how) {
        auto const db = wait_for(from, connect(url));
        int good = 0;
        from.each(
            180, how, [&](int i) { return call(db, url, i); },
            [&](int i, error_code code, std::optional<std::monostate>) {
                BOOST_TEST((!code || expected(code) || by_cancellation(code, how)),
                           std::to_string(i) + ": " + code.message());
                if (!code) ++good;
            });
        if (how != calling::cancelled) BOOST_TEST(good > 50);
    });
}

BOOST_AUTO_TEST_SUITE_END()
