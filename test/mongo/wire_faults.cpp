#include <atomic>
#include <chrono>
#include <thread>

#include "mongo/operations.hpp"
#include "support/tcp_proxy.hpp"

using namespace minibatch;
using namespace minibatch::test;
using std::chrono::steady_clock;

BOOST_AUTO_TEST_SUITE(wire_faults)

namespace {

/// What a call may take beyond its time-out: closing the driver's clients takes 500 ms, and sanitizers slow all down.
constexpr milliseconds grace{1'500};

mongo_server& server() {
    static mongo_server one;
    return one;
}

struct trial {
    operation const& what;
    std::string fault;
    bool retry_writes;
    milliseconds timeout;
    /// The fault goes on beyond the time-out.
    bool outlasts = false;

    std::string name() const { return what.name + ", " + fault + (retry_writes ? ", retryWrites" : "") + ": "; }
};

std::string database_name() {
    static std::atomic<int> count = 0;
    return "wire" + std::to_string(++count) + "x";
}

/// What is wrong with one operation under a fault that `arm` makes and `disarm` takes back.
template <class Arm, class Disarm>
std::string judge(trial const& how, Arm const& arm, Disarm const& disarm) {
    auto const database = database_name();
    scene at(server().url(database));
    tcp_proxy proxy(server().port());
    at.faulty_url = server().url(database, proxy.port()) + (how.retry_writes ? "&retryWrites=true" : "");
    if (how.what.name != "connect") at.faulty = opened(at.faulty_url);
    // Who uses a stream has opened it.
    if (at.faulty && how.outlasts) at.faulty->list_streams(within(milliseconds(10'000)));
    arm(proxy, database);
    auto const began = steady_clock::now();
    std::string broken;
    outcome got;
    try {
        got = outcome_of([&] { how.what.act(at, within(how.timeout)); });
    } catch (std::exception const& problem) {
        broken = problem.what();
    }
    auto const took = std::chrono::round<milliseconds>(steady_clock::now() - began);
    disarm(proxy);
    auto const name = how.name();
    if (!broken.empty()) return name + broken;
    if (took > how.timeout + grace) return name + "took " + std::to_string(took.count()) + " ms";
    bool const failed = static_cast<bool>(got.code);
    if (failed && !how.outlasts) return name + "failed: " + got.text;
    if (!failed && how.outlasts) return name + "succeeded";
    auto const effect = how.what.wrong(at, !failed);
    if (!effect.empty()) return name + effect;
    if (!failed) return {};

    if (got.code != errc::unavailable && got.code != errc::outcome_unknown)
        return name + "wrong error " + got.code.message() + ": " + got.text;
    if (got.code == errc::unavailable && how.what.unavailable_is_undone && how.what.is_done(at))
        return name + "was done, and reported as not done: " + got.text;
    bool named = false;
    for (auto const& word : how.what.words) named = named || holds(got.text, word);
    if (!named) return name + "the operation is not named: " + got.text;
    if (!holds(got.text, "127.0.0.1:" + std::to_string(proxy.port()))) return name + "no host is named: " + got.text;
    // A transaction that could not be ended is in the way until the server gives it up, after a minute.
    if (how.what.name == "commit with writes") return {};
    // When the fault is over, the same call succeeds.
    auto const again = outcome_of([&] { how.what.act(at, within(milliseconds(10'000))); });
    if (again.code) return name + "afterwards: " + again.text;
    return how.what.wrong(at, true).empty() ? "" : name + "afterwards: " + how.what.wrong(at, true);
}

bool is_of(std::string_view message, direction which, std::string const& database) {
    if (which != direction::request || message.find("endSessions") != message.npos) return false;
    return message.find(database) != message.npos || message.find("commitTransaction") != message.npos;
}

/// How many requests an operation sends when nothing is wrong.
int requests_of(operation const& op) {
    auto const database = database_name();
    scene at(server().url(database));
    tcp_proxy proxy(server().port());
    at.faulty_url = server().url(database, proxy.port());
    if (op.name != "connect") at.faulty = opened(at.faulty_url);
    std::atomic<int> seen = 0;
    proxy.on_message([&seen, database](std::string_view message, direction which) {
        if (is_of(message, which, database)) ++seen;
        return action::pass;
    });
    op.act(at, within(milliseconds(10'000)));
    return seen;
}

/// By operation, in their order.
std::vector<int> const& all_requests() {
    static auto const all = [] {
        auto const& operations = all_operations();
        std::vector<int> out(operations.size());
        std::vector<std::function<std::string()>> count;
        for (std::size_t i = 0; i < out.size(); ++i)
            count.emplace_back([&out, &operations, i] {
                out[i] = requests_of(operations[i]);
                return out[i] > 0 ? std::string() : operations[i].name + ": no requests?";
            });
        play(count, out.size());
        return out;
    }();
    return all;
}

/// The n-th request of the operation meets `what`.
std::string judge_request(operation const& op, action what, bool retry_writes, int n) {
    std::atomic<int> seen = 0;
    auto const name = what == action::close ? " closed" : what == action::drop ? " never answered" : " done, but lost";
    // One that is never answered takes half of the time, at least a second, before it is sent again.
    trial const how{op, "request " + std::to_string(n) + name, retry_writes,
                    milliseconds(what == action::drop ? 4'000 : 10'000)};
    auto const arm = [&](tcp_proxy& proxy, std::string const& database) {
        proxy.on_message([&seen, n, what, database](std::string_view message, direction which) {
            if (!is_of(message, which, database)) return action::pass;
            return ++seen == n ? what : action::pass;
        });
    };
    auto const problem = judge(how, arm, [](tcp_proxy& proxy) { proxy.on_message({}); });
    return seen < n ? how.name() + "it was not sent; " + problem : problem;
}

struct fault {
    std::string name;
    void (*begin)(tcp_proxy&);
};

/// Nothing arrives any more, from the n-th request of the operation on.
std::string judge_silence(operation const& op, bool retry_writes, int n, bool last) {
    std::atomic<int> seen = 0;
    trial const how{op, "silence from request " + std::to_string(n) + " on", retry_writes, milliseconds(600), true};
    auto const arm = [&](tcp_proxy& proxy, std::string const& database) {
        proxy.on_message([&seen, n, database](std::string_view message, direction which) {
            if (which != direction::request) return action::pass;
            if (is_of(message, which, database)) ++seen;
            return seen >= n ? action::drop : action::pass;
        });
    };
    auto const problem = judge(how, arm, [](tcp_proxy& proxy) {
        proxy.on_message({});
        proxy.close_connections();
    });
    // An operation on a stream that is open sends one request less.
    if (seen < n) return last ? std::string() : how.name() + "it was not sent; " + problem;
    return problem;
}

fault const faults[] = {
    {"blackhole", [](tcp_proxy& proxy) { proxy.blackhole(); }},
    {"blackholed answers", [](tcp_proxy& proxy) { proxy.blackhole_answers(); }},
    {"refused",
     [](tcp_proxy& proxy) {
         proxy.refuse();
         proxy.close_connections();
     }},
    {"answers cut off in the middle", [](tcp_proxy& proxy) { proxy.close_after(direction::answer, 60); }},
    {"answers that stop in the middle", [](tcp_proxy& proxy) { proxy.stall_after(direction::answer, 60); }},
    {"requests cut off in the middle", [](tcp_proxy& proxy) { proxy.close_after(direction::request, 60); }},
};

/// They mostly wait.
constexpr std::size_t players = 64;

/// Calls `each(operation, how many requests it sends, whether the driver repeats writes)`.
template <class Each>
void for_each_trial(Each const& each) {
    auto const& operations = all_operations();
    auto const& requests = all_requests();
    for (std::size_t i = 0; i < operations.size(); ++i) {
        each(operations[i], requests[i], false);
        if (operations[i].writes()) each(operations[i], requests[i], true);
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE(lost_requests_and_answers) {
    std::vector<std::function<std::string()>> all;
    // Those that take longest come first.
    for (auto const what : {action::drop, action::close, action::lose_answer})
        for_each_trial([&](operation const& op, int requests, bool retry_writes) {
            for (int n = 1; n <= requests; ++n)
                all.emplace_back([&op, what, retry_writes, n] { return judge_request(op, what, retry_writes, n); });
        });
    play(all, players);
}

BOOST_AUTO_TEST_CASE(transient_faults) {
    std::vector<std::function<std::string()>> all;
    for_each_trial([&](operation const& op, int, bool retry_writes) {
        for (auto const& each : faults) {
            all.emplace_back([&op, retry_writes, &each] {
                trial const how{op, each.name + " for a while", retry_writes, milliseconds(4'000)};
                std::thread later;
                auto const arm = [&](tcp_proxy& proxy, std::string const&) {
                    each.begin(proxy);
                    later = std::thread([&proxy] {
                        std::this_thread::sleep_for(milliseconds(300));  // how long the fault lasts
                        proxy.restore();
                    });
                };
                return judge(how, arm, [&](tcp_proxy&) { later.join(); });
            });
        }
        if (retry_writes) return;
        all.emplace_back([&op] {
            trial const how{op, "delayed", false, milliseconds(4'000)};
            auto const arm = [](tcp_proxy& proxy, std::string const&) {
                proxy.delay(direction::request, milliseconds(20));
                proxy.delay(direction::answer, milliseconds(20));
            };
            return judge(how, arm, [](tcp_proxy& proxy) { proxy.restore(); });
        });
    });
    play(all, players);
}

BOOST_AUTO_TEST_CASE(faults_longer_than_the_timeout) {
    std::vector<std::function<std::string()>> all;
    for_each_trial([&](operation const& op, int requests, bool retry_writes) {
        for (auto const& each : faults)
            all.emplace_back([&op, retry_writes, &each] {
                trial const how{op, each.name, retry_writes, milliseconds(600), true};
                auto const arm = [&](tcp_proxy& proxy, std::string const&) { each.begin(proxy); };
                return judge(how, arm, [](tcp_proxy& proxy) { proxy.restore(); });
            });
        for (int n = 2; n <= requests; ++n)
            all.emplace_back(
                [&op, retry_writes, n, requests] { return judge_silence(op, retry_writes, n, n == requests); });
    });
    play(all, players);
}

BOOST_AUTO_TEST_SUITE_END()
