#include <atomic>
#include <condition_variable>
#include <map>
#include <thread>

#include "mongo/support.hpp"
#include "support/fail_points.hpp"
#include "support/tcp_proxy.hpp"

using namespace minibatch;
using namespace minibatch::test;
using std::chrono::steady_clock;

namespace {

/// The id of the session that a request names; empty: none.
std::string session_of(std::string_view request) {
    using namespace std::string_view_literals;
    constexpr auto begin = "\x05id\0\x10\0\0\0\x04"sv;
    auto const lsid = request.find("lsid");
    auto const at = request.find(begin, lsid);
    return lsid == request.npos || at == request.npos ? "" : std::string(request.substr(at + begin.size(), 16));
}

/// The requests of the change stream as they pass.
struct overheard {
    std::mutex mutex;
    std::vector<std::string> opened;  // the requests
    std::vector<std::string> asked;   // the sessions of the requests for more

    action note(std::string_view message, direction which) {
        if (which == direction::answer) return action::pass;
        std::lock_guard const lock(mutex);
        if (message.find("$changeStream") != message.npos) opened.emplace_back(message);
        if (message.find("getMore") != message.npos) asked.push_back(session_of(message));
        return action::pass;
    }
};

/// A handle with a change stream, over a proxy, and another one that appends.
struct watching {
    explicit watching(std::string const& settings = {}) : proxy(server.port()) {
        proxy.on_message([this](auto message, auto which) { return heard.note(message, which); });
        open_options options;
        options.log = said.callback();
        options.on_command = [this](std::string_view name) {
            std::lock_guard const lock(mutex);
            ++commands[std::string(name)];
            changed.notify_all();
        };
        writer = opened(server.url("d"));
        reader =
            open_store(server.url("d", proxy.port()) + "&appName=victim&heartbeatFrequencyMS=500" + settings, options);
        log = {writer->open_stream("s", 1, {}, within(limit)).incarnation, 0};
        reader->list_streams(within(limit));
        subscribed = reader->watch([this] {
            std::lock_guard const lock(mutex);
            ++calls;
            changed.notify_all();
        });
        BOOST_TEST(sends("aggregate", 1));
        append_one();
        BOOST_TEST(arrived());
    }
    ~watching() { subscribed.reset(); }

    /// Makes a command of the reader's change stream fail.
    fail_point failing(std::string const& command, int code, int times, std::vector<std::string> labels = {}) const {
        fail_command what;
        what.commands = {command};
        what.error_code = code;
        what.error_labels = std::move(labels);
        what.app_name = "victim";
        what.times = times;
        return {server.url("admin"), what};
    }

    void append_one() { append(*writer, log, "{\"i\":" + std::to_string(next++) + "}", limit); }
    /// Waits until the reader has been told of all that was appended: it looks when it is called, and only then.
    bool arrived() {
        auto const until = steady_clock::now() + limit;
        std::unique_lock lock(mutex);
        for (;;) {
            if (!changed.wait_until(lock, until, [&] { return calls != looked_at; })) return false;
            looked_at = calls;
            lock.unlock();
            auto const found = outcome_of([&] { ends = reader->inspect({&log, 1}, {}, within(limit)); });
            lock.lock();
            if (!found.code && ends.ends.at(0) && ends.ends[0]->offset == next) return true;
        }
    }
    /// Waits until it has sent this command so often.
    bool sends(std::string const& name, int times) {
        std::unique_lock lock(mutex);
        return changed.wait_for(lock, limit, [&] { return commands[name] >= times; });
    }
    int sent(std::string const& name) {
        std::lock_guard const lock(mutex);
        return commands[name];
    }

    /// Well below the ten seconds after which a change stream answers by itself.
    static constexpr milliseconds limit{6'000};

    mongo_server server;
    overheard heard;
    tcp_proxy proxy;
    log_lines said;
    std::mutex mutex;
    std::condition_variable changed;
    int calls = 0;
    int looked_at = 0;
    std::map<std::string, int> commands;
    std::int64_t next = 0;
    inspection ends;
    store_ptr writer, reader;
    log_id log;
    std::unique_ptr<subscription> subscribed;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(change_streams, watching)

BOOST_AUTO_TEST_CASE(continues_after_closed_connections) {
    for (int round = 0; round < 4; ++round) {
        auto const before = sent("aggregate");
        proxy.close_connections();
        append_one();  // while it is away
        append_one();
        auto const began = steady_clock::now();
        BOOST_TEST(arrived());
        BOOST_TEST((steady_clock::now() - began < milliseconds(4'000)));
        BOOST_TEST(sends("aggregate", before + 1));
        append_one();
        BOOST_TEST(arrived());
    }
}

BOOST_AUTO_TEST_CASE(continues_after_lost_answers) {
    proxy.on_message(lose_answer_to("getMore", 1));
    for (int i = 0; i < 3; ++i) {
        append_one();
        BOOST_TEST(arrived());
    }
    proxy.on_message(lose_answer_to("aggregate", 1));
    proxy.close_connections();
    append_one();
    BOOST_TEST(arrived());
}

BOOST_AUTO_TEST_CASE(restarts_when_history_is_lost) {
    for (std::string const command : {"getMore", "aggregate"}) {
        auto const before = said.with("begins anew");
        auto const opened = sent("aggregate");
        auto const point = failing(command, 286, 1);
        if (command == "aggregate") proxy.close_connections();
        append_one();
        BOOST_TEST(arrived());
        // The refused one, and the one that is not.
        BOOST_TEST(sends("aggregate", opened + (command == "aggregate" ? 2 : 1)));
        append_one();
        BOOST_TEST(arrived());
        BOOST_TEST(said.with("begins anew") == before + 1, said.all());
    }
}

/// It has told nothing of what was appended between its end and its new beginning: that is asked for.
BOOST_AUTO_TEST_CASE(misses_nothing_before_it_restarts) {
    constexpr int refusals = 4;
    auto const point = failing("aggregate", 286, refusals);
    proxy.close_connections();
    auto const until = steady_clock::now() + limit;
    while (said.with("begins anew") < refusals && steady_clock::now() < until) std::this_thread::yield();
    BOOST_TEST(said.with("begins anew") == refusals);
    // Some hundred milliseconds later it opens. Who asks now is not told of what comes in between.
    auto const before = sent("getMore");
    reader->inspect({&log, 1}, {}, within(limit));
    append_one();
    BOOST_TEST(sends("getMore", before + 1));
    BOOST_TEST(arrived());
}

/// A server continues a cursor in the session that opened it and in no other; the sessions of other calls come and go.
BOOST_AUTO_TEST_CASE(uses_one_session) {
    std::atomic<bool> done = false;
    std::vector<std::jthread> others;
    for (int i = 0; i < 3; ++i)
        others.emplace_back([&] {
            while (!done) reader->list_streams(within(limit));
        });
    for (int i = 0; i < 20; ++i) {
        append_one();
        BOOST_TEST(arrived());
    }
    done = true;
    others.clear();
    std::lock_guard const lock(heard.mutex);
    BOOST_REQUIRE(heard.opened.size() == 1u);
    auto const session = session_of(heard.opened[0]);
    BOOST_TEST(session.size() == 16u);
    BOOST_TEST(heard.asked.size() >= 20u);
    for (auto const& each : heard.asked) BOOST_TEST((each == session));
}

BOOST_AUTO_TEST_CASE(resumes_by_token) {
    append_one();
    BOOST_TEST(arrived());
    proxy.close_connections();
    append_one();
    BOOST_TEST(arrived());
    BOOST_TEST(sends("aggregate", 2));
    append_one();
    BOOST_TEST(arrived());
    std::lock_guard const lock(heard.mutex);
    BOOST_REQUIRE(heard.opened.size() >= 2u);
    BOOST_TEST(!holds(heard.opened[0], "resumeAfter"));
    BOOST_TEST(holds(heard.opened[0], "startAtOperationTime"));
    for (std::size_t i = 1; i < heard.opened.size(); ++i) BOOST_TEST(holds(heard.opened[i], "resumeAfter"));
}

/// Whatever passes: of both commands, once and several times in a row.
BOOST_AUTO_TEST_CASE(transient_errors) {
    struct row {
        int code;
        std::vector<std::string> labels;
    };
    std::vector<row> const table{{91, {}}, {10107, {}}, {43, {}}, {96, {"ResumableChangeStreamError"}}};
    int times = 0;
    for (auto const& each : table)
        for (std::string const command : {"getMore", "aggregate"}) {
            auto const point = failing(command, each.code, times++ % 2 + 1, each.labels);
            if (command == "aggregate") proxy.close_connections();
            append_one();
            append_one();
            BOOST_TEST(arrived(), command << ": " << each.code);
        }
    BOOST_TEST(said.all() == "");
    std::lock_guard const lock(heard.mutex);
    for (std::size_t i = 1; i < heard.opened.size(); ++i) BOOST_TEST(holds(heard.opened[i], "resumeAfter"));
}

/// Without the right to watch, for example: then consumers look now and then.
BOOST_AUTO_TEST_CASE(permanent_errors) {
    for (std::string const command : {"getMore", "aggregate"}) {
        auto const before = said.with("no change stream is possible");
        auto const point = failing(command, 13, 0);
        if (command == "aggregate") proxy.close_connections();
        for (int i = 0; i < 2; ++i) {
            append_one();
            BOOST_TEST(arrived());
        }
        BOOST_TEST(said.with("no change stream is possible") == before + 1, said.all());
    }
    append_one();
    BOOST_TEST(arrived());
}

BOOST_AUTO_TEST_CASE(one_change_stream_for_a_handle) {
    std::vector<std::unique_ptr<subscription>> more;
    for (int i = 0; i < 20; ++i) more.push_back(reader->watch([] {}));
    append_one();
    BOOST_TEST(arrived());
    BOOST_TEST(sent("aggregate") == 1);
    more.clear();
}

BOOST_AUTO_TEST_SUITE_END()

/// There is no change stream with another level than majority, whatever the rest is read with.
BOOST_AUTO_TEST_CASE(change_stream_of_a_handle_that_reads_locally) {
    watching at("&readConcernLevel=local");
    BOOST_REQUIRE(at.heard.opened.size() == 1u);
    BOOST_TEST(holds(at.heard.opened[0], "majority"));
    BOOST_TEST(!holds(at.heard.opened[0], "local"));
}
