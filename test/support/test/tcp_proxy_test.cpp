#include "support/tcp_proxy.hpp"

#include <boost/system/system_error.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <optional>
#include <thread>

#include "support/test/echo.hpp"

using namespace minibatch::test;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

BOOST_AUTO_TEST_SUITE(tcp_proxies)

namespace {

/// As MongoDB's: its length in front, four bytes that count themselves.
std::string message(std::string const& text) {
    auto const size = std::max<std::size_t>(text.size() + 4, 20);
    std::string whole{static_cast<char>(size & 255), static_cast<char>(size >> 8 & 255), '\0', '\0'};
    whole += text;
    whole.resize(size, '.');
    return whole;
}

struct proxied {
    explicit proxied(framing how = framing::none) : proxy(server.port(), how) {}
    bool open(std::size_t count) const {
        return proxy.wait_for([&](proxy_counts const& now) { return now.open == count; });
    }

    echo_server server;
    tcp_proxy proxy;
};

}  // namespace

BOOST_AUTO_TEST_CASE(everything_passes_and_is_counted) {
    proxied to;
    {
        echo_client first(to.proxy.port());
        echo_client second(to.proxy.port());
        BOOST_TEST(first.exchange("hello") == "hello");
        std::string const large(300'000, 'x');
        std::thread sending([&] { second.send(large); });
        BOOST_TEST((second.receive(large.size()) == large));
        sending.join();
        BOOST_TEST(to.open(2));
    }
    BOOST_TEST(to.open(0));
    auto const counts = to.proxy.counts();
    BOOST_TEST(counts.accepted == 2u);
    BOOST_TEST(counts.cut == 0u);
    BOOST_TEST(counts.request_bytes == 300'005u);
    BOOST_TEST(counts.answer_bytes == 300'005u);
    BOOST_TEST(to.server.bytes() == 300'005u);
}

BOOST_AUTO_TEST_CASE(new_connections_are_refused_and_taken_again) {
    proxied to;
    echo_client there(to.proxy.port());
    BOOST_TEST(there.exchange("a") == "a");
    to.proxy.refuse();
    BOOST_CHECK_THROW(echo_client(to.proxy.port()), boost::system::system_error);
    BOOST_TEST(there.exchange("b") == "b");
    to.proxy.restore();
    BOOST_TEST(echo_client(to.proxy.port()).exchange("c") == "c");
    BOOST_TEST(there.exchange("d") == "d");
}

BOOST_AUTO_TEST_CASE(a_server_that_is_away) {
    std::optional<echo_server> server(std::in_place);
    tcp_proxy proxy(server->port(), framing::none);
    server.reset();
    echo_client client(proxy.port());
    BOOST_TEST(client.closed());
}

BOOST_AUTO_TEST_CASE(all_connections_are_closed) {
    proxied to;
    echo_client first(to.proxy.port());
    echo_client second(to.proxy.port());
    BOOST_TEST(first.exchange("a") == "a");
    BOOST_TEST(second.exchange("a") == "a");
    to.proxy.close_connections();
    BOOST_TEST(first.closed());
    BOOST_TEST(second.closed());
    BOOST_TEST(to.proxy.counts().cut == 2u);
    BOOST_TEST(echo_client(to.proxy.port()).exchange("b") == "b");
}

BOOST_AUTO_TEST_CASE(closed_after_some_bytes) {
    for (auto const which : {direction::request, direction::answer}) {
        proxied to;
        echo_client there(to.proxy.port());
        BOOST_TEST(there.exchange("1234567") == "1234567");
        to.proxy.close_after(which, 10);
        BOOST_TEST(there.exchange("1234567") == "1234567");
        there.send("890abcdef");
        // A server whose answer has no way back any more may have said it or not.
        auto const rest = there.receive(9);
        BOOST_TEST(std::string("890").starts_with(rest));
        BOOST_TEST(there.closed());
        // The server reads what had been passed on in its own time.
        auto const passed = which == direction::request ? 17u : 23u;
        BOOST_TEST(to.server.wait_for_bytes(passed) == passed);
        BOOST_TEST(to.proxy.counts().cut == 1u);
        echo_client later(to.proxy.port());
        later.send("1234567890abc");
        BOOST_TEST(later.receive(13).size() <= 10u);
        to.proxy.restore();
        BOOST_TEST(echo_client(to.proxy.port()).exchange("1234567890abc") == "1234567890abc");
    }
}

BOOST_AUTO_TEST_CASE(stalled_after_some_bytes) {
    for (auto const which : {direction::request, direction::answer}) {
        proxied to;
        echo_client there(to.proxy.port());
        to.proxy.stall_after(which, 4);
        BOOST_TEST(there.exchange("123") == "123");
        there.send("456");
        BOOST_TEST(there.receive(1) == "4");
        BOOST_TEST(there.silent());
        BOOST_TEST(to.proxy.counts().cut == 0u);
        to.proxy.restore();
        // Bytes are missing in this one.
        there.send("7");
        BOOST_TEST(there.silent());
        BOOST_TEST(echo_client(to.proxy.port()).exchange("12345") == "12345");
    }
}

BOOST_AUTO_TEST_CASE(delayed) {
    for (auto const which : {direction::request, direction::answer}) {
        proxied to;
        echo_client client(to.proxy.port());
        to.proxy.delay(which, milliseconds(150));
        auto const began = steady_clock::now();
        BOOST_TEST(client.exchange("a") == "a");
        BOOST_TEST((steady_clock::now() - began >= milliseconds(150)));
        // One that waits does not hold up the end.
        to.proxy.delay(which, std::chrono::hours(1));
        client.send("b");
        BOOST_TEST(client.silent());
    }
}

BOOST_AUTO_TEST_CASE(a_black_hole) {
    proxied to;
    echo_client there(to.proxy.port());
    BOOST_TEST(there.exchange("a") == "a");
    to.proxy.blackhole();
    there.send("b");
    echo_client fresh(to.proxy.port());
    fresh.send("b");
    BOOST_TEST(there.silent());
    BOOST_TEST(fresh.silent());
    BOOST_TEST(to.server.bytes() == 1u);
    BOOST_TEST(to.open(2));
    to.proxy.restore();
    BOOST_TEST(echo_client(to.proxy.port()).exchange("c") == "c");
    // Bytes are missing in these.
    there.send("c");
    BOOST_TEST(there.silent());
    BOOST_TEST(fresh.silent());
}

BOOST_AUTO_TEST_CASE(an_idle_connection_comes_through_a_black_hole) {
    proxied to;
    echo_client there(to.proxy.port());
    BOOST_TEST(there.exchange("a") == "a");
    to.proxy.blackhole();
    to.proxy.restore();
    BOOST_TEST(there.exchange("b") == "b");
}

BOOST_AUTO_TEST_CASE(a_black_hole_hides_the_end_of_the_server) {
    proxied to;
    echo_client client(to.proxy.port());
    BOOST_TEST(client.exchange("a") == "a");
    to.proxy.blackhole();
    to.server.hang_up();
    BOOST_TEST(client.silent());
    to.proxy.restore();
    echo_client other(to.proxy.port());
    BOOST_TEST(other.exchange("b") == "b");
    to.server.hang_up();
    BOOST_TEST(other.closed());
}

BOOST_AUTO_TEST_CASE(a_black_hole_for_answers) {
    proxied to;
    echo_client client(to.proxy.port());
    to.proxy.blackhole_answers();
    client.send("abc");
    BOOST_TEST(to.proxy.wait_for([](proxy_counts const& now) { return now.request_bytes == 3; }));
    BOOST_TEST(client.silent());
    BOOST_TEST(to.server.bytes() == 3u);
    to.proxy.restore();
    BOOST_TEST(echo_client(to.proxy.port()).exchange("c") == "c");
}

BOOST_AUTO_TEST_CASE(the_next_answer_is_lost) {
    proxied to;
    echo_client first(to.proxy.port());
    echo_client second(to.proxy.port());
    BOOST_TEST(first.exchange("a") == "a");
    to.proxy.lose_next_answer();
    first.send("abc");
    BOOST_TEST(first.closed());
    BOOST_TEST(to.server.bytes() == 4u);
    BOOST_TEST(to.proxy.counts().lost_answers == 1u);
    BOOST_TEST(second.exchange("b") == "b");
    BOOST_TEST(echo_client(to.proxy.port()).exchange("c") == "c");
}

BOOST_AUTO_TEST_CASE(hooks_see_whole_messages) {
    proxied to(framing::messages);
    std::vector<std::string> seen;
    to.proxy.on_message([&](std::string_view text, direction) {
        seen.emplace_back(text);
        return action::pass;
    });
    echo_client client(to.proxy.port());
    auto const one = message("one");
    auto const two = message(std::string(70'000 % 4096, 'x') + "two");
    auto const both = one + two;
    // In pieces that have nothing to do with the messages.
    client.send(both.substr(0, 3));
    client.send(both.substr(3, 40));
    client.send(both.substr(43));
    BOOST_TEST((client.receive(both.size()) == both));
    to.proxy.on_message({});
    BOOST_TEST(seen.size() == 4u);
    BOOST_TEST(std::count(seen.begin(), seen.end(), one) == 2);
    BOOST_TEST(std::count(seen.begin(), seen.end(), two) == 2);
    BOOST_TEST(to.proxy.counts().requests == 2u);
    BOOST_TEST(to.proxy.counts().answers == 2u);
}

BOOST_AUTO_TEST_CASE(actions_on_messages) {
    proxied to(framing::messages);
    auto const plain = message("plain");
    auto const special = message("special");
    {
        to.proxy.on_message(on_nth("special", 2, action::drop));
        echo_client client(to.proxy.port());
        BOOST_TEST(client.exchange(special) == special);
        BOOST_TEST(client.exchange(plain) == plain);
        client.send(special);
        BOOST_TEST(client.exchange(plain) == plain);  // that one was dropped
        BOOST_TEST(client.exchange(special) == special);
    }
    auto const before = to.server.bytes();
    {
        to.proxy.on_message(on_nth("special", 1, action::close));
        echo_client client(to.proxy.port());
        client.send(special);
        BOOST_TEST(client.closed());
        BOOST_TEST(to.server.bytes() == before);
    }
    {
        to.proxy.on_message(on_nth("special", 1, action::close, direction::answer));
        echo_client client(to.proxy.port());
        client.send(special);
        BOOST_TEST(client.closed());
        BOOST_TEST(to.server.bytes() == before + special.size());
    }
    {
        to.proxy.on_message(lose_answer_to("special", 2));
        echo_client client(to.proxy.port());
        BOOST_TEST(client.exchange(special) == special);
        BOOST_TEST(client.exchange(plain) == plain);
        client.send(special);
        BOOST_TEST(client.closed());
        BOOST_TEST(to.server.bytes() == before + 3 * special.size() + plain.size());
        BOOST_TEST(to.proxy.counts().lost_answers == 1u);
        BOOST_TEST(echo_client(to.proxy.port()).exchange(special) == special);
    }
}

BOOST_AUTO_TEST_CASE(lengths_that_cannot_be_right) {
    proxied to(framing::messages);
    for (auto const* text : {"\x01\0\0\0", "\xff\xff\xff\xff"}) {
        echo_client client(to.proxy.port());
        client.send(std::string(text, 4));
        BOOST_TEST(client.closed());
    }
    BOOST_TEST(to.server.bytes() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
