#include "support/process.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <thread>

#include "support/temporary_directory.hpp"

using namespace minibatch::test;

BOOST_AUTO_TEST_SUITE(other_processes)

namespace {

constexpr milliseconds limit{20'000};

std::string text_of(std::string const& name) {
    std::ifstream file(name);
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

BOOST_AUTO_TEST_CASE(outputs_and_results) {
    temporary_directory const directory;
    process command({"sh", "-c", "echo out; echo err >&2; exit 3"}, directory / "err", directory / "out");
    BOOST_REQUIRE(command.ended(limit));
    BOOST_TEST(command.result() == 3);
    BOOST_TEST(text_of(directory / "out") == "out\n");
    BOOST_TEST(text_of(directory / "err") == "err\n");
    process missing({"no-such-program-of-minibatch"}, directory / "err");
    BOOST_REQUIRE(missing.ended(limit));
    BOOST_TEST(missing.result() == 127);
}

BOOST_AUTO_TEST_CASE(a_process_outlives_the_thread_that_started_it) {
    temporary_directory const directory;
    std::optional<process> sleeper;
    std::thread([&] { sleeper.emplace(std::vector<std::string>{"sleep", "60"}, directory / "err"); }).join();
    BOOST_TEST(!sleeper->ended(milliseconds(200)));
    sleeper->kill();
    BOOST_TEST(sleeper->result() == -SIGKILL);
}

BOOST_AUTO_TEST_CASE(a_process_dies_with_the_test) {
    temporary_directory const directory;
    process other({MINIBATCH_TEST_PROCESS_STARTER, directory.path().string()}, directory / "err", directory / "out");
    BOOST_REQUIRE(other.ended(limit));
    BOOST_REQUIRE_MESSAGE(other.result() == 0, text_of(directory / "err") + text_of(directory / "out"));
    auto const id = std::stoi(text_of(directory / "pid"));
    auto const descriptor = static_cast<int>(::syscall(SYS_pidfd_open, id, 0));
    if (descriptor < 0) {
        BOOST_TEST(errno == ESRCH);
        return;
    }
    pollfd watched{descriptor, POLLIN, 0};
    BOOST_TEST(::poll(&watched, 1, static_cast<int>(limit.count())) == 1);
    ::close(descriptor);
}

BOOST_AUTO_TEST_CASE(a_process_holds_no_socket_of_the_test) {
    temporary_directory const directory;
    // As Asio makes them: not closed on exec.
    int ends[2];
    BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    process const sleeper({"sleep", "60"}, directory / "err");
    ::close(ends[0]);
    pollfd watched{ends[1], POLLIN, 0};
    BOOST_TEST(::poll(&watched, 1, 5000) == 1);  // the end of the stream
    ::close(ends[1]);
}

BOOST_AUTO_TEST_SUITE_END()
