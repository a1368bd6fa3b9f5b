#include <condition_variable>
#include <map>

#include "mongo/support.hpp"
#include "support/fail_points.hpp"
#include "support/tcp_proxy.hpp"

using namespace minibatch;
using namespace minibatch::test;
using std::chrono::steady_clock;

namespace {

/// A handle with a change stream, over a proxy, and another one that appends.
struct watching {
    watching() : proxy(server.port()) {
        open_options options;
        options.log = said.callback();
        options.on_command = [this](std::string_view name) {
            std::lock_guard const lock(mutex);
            ++commands[std::string(name)];
            changed.notify_all();
        };
        writer = open_store(server.url("d"));
        reader = open_store(server.url("d", proxy.port()) + "&appName=victim&heartbeatFrequencyMS=500", options);
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

BOOST_AUTO_TEST_CASE(goes_on_when_connections_are_closed) {
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

BOOST_AUTO_TEST_CASE(goes_on_when_answers_are_lost) {
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

BOOST_AUTO_TEST_CASE(begins_anew_when_history_is_lost) {
    for (std::string const command : {"getMore", "aggregate"}) {
        auto const before = said.with("begins anew");
        auto const opened = sent("aggregate");
        fail_command what;
        what.commands = {command};
        what.error_code = 286;
        what.app_name = "victim";
        what.times = 1;
        fail_point const point(server.url("admin"), what);
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

BOOST_AUTO_TEST_CASE(one_for_a_handle) {
    std::vector<std::unique_ptr<subscription>> more;
    for (int i = 0; i < 20; ++i) more.push_back(reader->watch([] {}));
    append_one();
    BOOST_TEST(arrived());
    BOOST_TEST(sent("aggregate") == 1);
    more.clear();
}

BOOST_AUTO_TEST_SUITE_END()
