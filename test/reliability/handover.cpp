#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <minibatch.hpp>

#include "reliability/history.hpp"
#include "store/sqlite/side_file.hpp"
#include "support/coroutine.hpp"
#include "support/process.hpp"
#include "support/temporary_directory.hpp"

using namespace minibatch;
using namespace minibatch::test;
namespace asio = boost::asio;

BOOST_AUTO_TEST_SUITE(handover)

namespace {

using std::chrono::steady_clock;
constexpr milliseconds limit{60'000};

/// A consumer process that holds each window until it is told to commit, and what it reports as it comes in.
class holder {
  public:
    holder(temporary_directory const& directory, std::string const& name, std::string const& strategy) {
        auto const pipe = directory / name;
        BOOST_REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
        in_ = ::open(pipe.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
        BOOST_REQUIRE(in_ >= 0);
        std::vector<std::string> const words{MINIBATCH_RELIABILITY_WORKER,
                                             "consume",
                                             directory / "numbers.db",
                                             pipe,
                                             std::to_string(++runs),
                                             "hold=1",
                                             "lease=400",
                                             "strategy=" + strategy};
        worker_.emplace(words, directory / "errors.txt");
    }
    ~holder() { ::close(in_); }

    /// The next line, which begins with the word ("committing" may come before).
    std::string wait_for(std::string const& what) {
        auto const until = steady_clock::now() + limit;
        while (true) {
            for (auto end = text_.find('\n'); end != std::string::npos; end = text_.find('\n')) {
                auto line = text_.substr(0, end);
                text_.erase(0, end + 1);
                if (!is_whole(line)) continue;
                lines_.push_back(line);
                if (line.starts_with(what)) return line;
                BOOST_REQUIRE_MESSAGE(line.starts_with("committing"),
                                      "reported in place of '" << what << "': " << line);
            }
            pollfd ready{in_, POLLIN, 0};
            auto const left = std::chrono::ceil<milliseconds>(until - steady_clock::now()).count();
            BOOST_REQUIRE_MESSAGE(left > 0 && ::poll(&ready, 1, static_cast<int>(left)) > 0, "no report: " + what);
            char some[4096];
            auto const got = ::read(in_, some, sizeof some);
            if (got > 0) text_.append(some, static_cast<std::size_t>(got));
        }
    }
    delivery wait_for_window() {
        wait_for("delivered");
        history all;
        read_report({lines_.back()}, all);
        return all.deliveries.at(0);
    }
    void commit() { worker_->signal(SIGUSR1); }
    process& worker() { return *worker_; }

  private:
    static inline int runs = 0;
    int in_ = -1;
    std::string text_;
    std::vector<std::string> lines_;
    std::optional<process> worker_;
};

asio::awaitable<void> append_some(std::string database, std::int64_t first, std::int64_t last) {
    auto const url = "sqlite:" + database;
    auto const db = co_await connect(url);
    std::string const stream_name = "numbers";
    auto numbers = co_await stream::get_or_create(db, stream_name);
    std::vector<boost::json::value> documents;
    for (auto number = first; number <= last; ++number) {
        numbered one;
        one.number = number;
        documents.push_back(to_document(one));
    }
    co_await numbers.append(documents);
}

void append(temporary_directory const& directory, std::int64_t first, std::int64_t last) {
    ::test::run([&] { return append_some(directory / "numbers.db", first, last); });
}

/// Stops a process, but not while it has the turn to write: the others would have to wait for it.
void stop(process& which, std::string const& database) {
    store::sqlite::side_file turn(database);
    for (int tries = 0; tries < 1000; ++tries) {
        which.stop();
        if (turn.lock(steady_clock::now() + milliseconds(200))) {
            turn.unlock();
            return;
        }
        which.signal(SIGCONT);
    }
    BOOST_FAIL("the process always has the turn to write");
}

/// While it exists, processes that want to write wait before they have taken any lock.
class closed_gate {
  public:
    explicit closed_gate(std::string const& database)
        : file_(::open(store::sqlite::side_file(database).path().c_str(), O_RDWR | O_CLOEXEC)) {
        struct flock both {};  // the gate, and the turn to write
        both.l_type = F_WRLCK;
        both.l_whence = SEEK_SET;
        both.l_len = 2;
        BOOST_REQUIRE(::fcntl(file_, F_OFD_SETLKW, &both) == 0);
    }
    ~closed_gate() { ::close(file_); }
    closed_gate(closed_gate const&) = delete;
    closed_gate& operator=(closed_gate const&) = delete;

  private:
    int file_;
};

bool same(delivery const& a, delivery const& b) {
    return a.id == b.id && a.partition == b.partition && a.start == b.start && a.end == b.end && a.reason == b.reason &&
           a.messages == b.messages;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_holder_that_was_stopped_is_fenced) {
    temporary_directory const directory;
    append(directory, 0, 9);
    holder first(directory, "first", "count:10");
    auto const window = first.wait_for_window();
    BOOST_TEST(window.id == "default/0/0-9");
    BOOST_TEST(window.attempt == 1);
    stop(first.worker(), directory / "numbers.db");

    holder second(directory, "second", "count:10");
    auto const again = second.wait_for_window();
    BOOST_TEST(same(window, again));
    BOOST_TEST(again.attempt == 2);
    second.commit();
    second.wait_for("committed");

    first.worker().signal(SIGCONT);
    first.commit();
    auto const refused = first.wait_for("fenced");
    BOOST_TEST(refused.find("window default/0/0-9 was not committed") != std::string::npos, refused);
    BOOST_TEST((refused.find("another consumer has taken over") != std::string::npos ||
                refused.find("its lease is gone") != std::string::npos),
               refused);

    // It stands by, and goes on where the other one ends.
    second.worker().kill();
    append(directory, 10, 19);
    auto const next = first.wait_for_window();
    BOOST_TEST(next.id == "default/0/10-19");
    first.commit();
    first.wait_for("committed");
    first.worker().signal(SIGTERM);
    BOOST_REQUIRE(first.worker().ended(limit));
    BOOST_TEST(first.worker().result() == 0);
}

/// Its commit was on its way when it was stopped, so that nothing but the database can refuse it.
BOOST_AUTO_TEST_CASE(a_commit_on_its_way_is_fenced) {
    temporary_directory const directory;
    append(directory, 0, 9);
    holder first(directory, "first", "count:10");
    auto const window = first.wait_for_window();
    {
        closed_gate const gate(directory / "numbers.db");
        first.commit();
        first.wait_for("committing");
        first.worker().stop();
    }
    holder second(directory, "second", "count:10");
    BOOST_TEST(same(window, second.wait_for_window()));
    first.worker().signal(SIGCONT);
    first.wait_for("fenced");

    // It had no effect: the window comes again when the second one dies with it, now to the first.
    second.worker().kill();
    auto const again = first.wait_for_window();
    BOOST_TEST(same(window, again));
    BOOST_TEST(again.attempt == 3);
    first.commit();
    first.wait_for("committed");
}

BOOST_AUTO_TEST_CASE(a_killed_holder_leaves_its_window) {
    for (std::string const strategy : {"count:10", "relaxed:1"}) {
        temporary_directory const directory;
        append(directory, 0, 9);
        std::optional<delivery> before;
        for (int attempt = 1; attempt <= 4; ++attempt) {
            holder consumer(directory, "consumer" + std::to_string(attempt), strategy);
            auto const window = consumer.wait_for_window();
            if (before) BOOST_TEST(same(*before, window), strategy);
            BOOST_TEST(window.messages.size() == 10U);
            BOOST_TEST(window.attempt == attempt);
            before = window;
            if (attempt < 4) {
                consumer.worker().kill();
                continue;
            }
            consumer.commit();
            consumer.wait_for("committed");
            append(directory, 10, 19);
            auto const next = consumer.wait_for_window();
            BOOST_TEST(next.id == "default/0/10-19");
            BOOST_TEST(next.attempt == 1);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
