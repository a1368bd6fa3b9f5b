#include <algorithm>
#include <atomic>
#include <map>
#include <thread>

#include "mongo/operations.hpp"
#include "support/fail_points.hpp"

using namespace minibatch;
using namespace minibatch::test;
using std::chrono::steady_clock;

BOOST_AUTO_TEST_SUITE(server_faults)

namespace {

/// There is one fail point a server, so that each thread has one of its own.
mongo_server& own_server() {
    static thread_local mongo_server one;
    return one;
}

constexpr std::size_t servers = 24;

/// A failure that the server makes up.
struct made_up {
    std::string name;
    fail_command what;
    /// The error that is to come; absent: none in the end.
    std::optional<errc> code{};
};

bool sends(operation const& op, std::string const& command) {
    return std::find(op.commands.begin(), op.commands.end(), command) != op.commands.end();
}

struct judged {
    std::string problem;
    bool failed = false;
};

/// What is wrong with an operation while `command` fails so.
std::string judge(operation const& op, std::string const& command, made_up how, bool retry_writes) {
    auto& server = own_server();
    static std::atomic<int> count = 0;
    auto const database = "point" + std::to_string(++count);
    scene at(server.url(database));
    at.faulty_url =
        server.url(database) + "&appName=victim&heartbeatFrequencyMS=500" + (retry_writes ? "&retryWrites=true" : "");
    if (op.name != "connect") {
        at.faulty = opened(at.faulty_url);
        if (how.what.skip == 0) at.faulty->list_streams(within(milliseconds(10'000)));
    }
    how.what.commands = {command};
    how.what.app_name = "victim";
    auto const name = op.name + ", " + command + " with " + how.name + (retry_writes ? ", retryWrites: " : ": ");
    std::string broken;
    outcome got;
    fail_point point(server.url("admin"), how.what);
    auto const began = steady_clock::now();
    std::thread later;
    if (how.what.skip > 0)
        later = std::thread([&] {
            std::this_thread::sleep_for(milliseconds(300));  // how long the fault lasts
            point.off();
        });
    try {
        got = outcome_of([&] { op.act(at, within(milliseconds(8'000))); });
    } catch (std::exception const& problem) {
        broken = problem.what();
    }
    auto const took = steady_clock::now() - began;
    if (later.joinable()) later.join();
    point.off();
    if (!broken.empty()) return name + broken;
    auto const effect = op.wrong(at, !got.code);
    if (!effect.empty()) return name + effect + " " + got.text;
    if (!how.code) return got.code ? name + "failed: " + got.text : "";
    if (!got.code) return name + "succeeded";
    if (got.code != *how.code) return name + "wrong error " + got.code.message() + ": " + got.text;
    if (took > milliseconds(2'000)) return name + "was tried for too long";
    bool named = false;
    for (auto const& word : op.words) named = named || holds(got.text, word);
    if (!named) return name + "the operation is not named: " + got.text;
    if (!holds(got.text, "127.0.0.1:" + std::to_string(server.port()))) return name + "no host is named: " + got.text;
    return {};
}

fail_command code(int error, int times, std::vector<std::string> labels = {}) {
    fail_command out;
    out.error_code = error;
    out.error_labels = std::move(labels);
    out.times = times;
    return out;
}
fail_command concern(int error, std::vector<std::string> labels = {}) {
    fail_command out;
    out.write_concern_error = error;
    out.error_labels = std::move(labels);
    out.times = 2;
    return out;
}
fail_command closed(int times) {
    fail_command out;
    out.close_connection = true;
    out.times = times;
    return out;
}
fail_command after(int passed) {
    auto out = code(10107, 0);
    out.skip = passed;
    return out;
}

/// How often an operation sends each command when nothing is wrong.
std::map<std::string, int> commands_of(operation const& op) {
    static std::atomic<int> count = 0;
    auto const url = own_server().url("calm" + std::to_string(++count));
    scene at(url);
    at.faulty_url = url;
    std::map<std::string, int> out;
    open_options options;
    options.on_command = [&](std::string_view name) { ++out[std::string(name)]; };
    at.faulty = open_store(url, options);
    out.clear();
    op.act(at, within(milliseconds(20'000)));
    at.faulty.reset();
    return out;
}

std::vector<made_up> transient(std::string const& command) {
    std::vector<std::string> const labels{"RetryableWriteError", "TransientTransactionError"};
    std::vector<made_up> all{
        {"error 91", code(91, 3)},
        {"error 189", code(189, 1)},
        {"error 10107, labelled", code(10107, 2, labels)},
        {"error 112", code(112, 3)},
        {"error 50", code(50, 1)},
        // Unknown to us, but the server says what it means.
        {"error 96, labelled", code(96, 1, labels)},
        {"closed connections", closed(2)},
    };
    if (command != "find") {
        all.push_back({"write concern error 64", concern(64)});
        all.push_back({"write concern error 91", concern(91, {"RetryableWriteError"})});
    }
    if (command == "commitTransaction")
        all.push_back({"error 50, labelled", code(50, 2, {"UnknownTransactionCommitResult"})});
    return all;
}

std::vector<made_up> const& permanent() {
    static std::vector<made_up> const all{
        {"error 13", code(13, 0), errc::access_denied},
        {"error 14031", code(14031, 0), errc::storage_full},
        {"error 8000", code(8000, 0), errc::access_denied},
        {"error 96", code(96, 0), errc::store_failure},
    };
    return all;
}

std::vector<std::string> const& command_names() {
    static std::vector<std::string> const all{"insert",        "find",   "update",
                                              "findAndModify", "delete", "commitTransaction"};
    return all;
}

}  // namespace

BOOST_AUTO_TEST_CASE(transient_errors) {
    std::vector<std::function<std::string()>> all;
    for (auto const& op : all_operations())
        all.emplace_back([&op] {
            // Each of the commands after the first, which is among the rest.
            std::string problems;
            for (auto const& [command, times] : commands_of(op))
                for (int n = 2; n <= times; ++n)
                    problems +=
                        judge(op, command,
                              {"error 10107 from no. " + std::to_string(n) + " on for a while", after(n - 1)}, false);
            return problems;
        });
    for (auto const& op : all_operations())
        for (auto const& command : command_names()) {
            if (!sends(op, command)) continue;
            for (auto const& how : transient(command))
                for (bool const retry_writes : {false, true}) {
                    // The driver's own repetition matters to writes alone.
                    if (retry_writes && command == "find") continue;
                    all.emplace_back(
                        [&op, command, how, retry_writes] { return judge(op, command, how, retry_writes); });
                }
        }
    play(all, servers);
}

BOOST_AUTO_TEST_CASE(permanent_errors) {
    std::vector<std::function<std::string()>> all;
    for (auto const& op : all_operations())
        for (auto const& command : command_names())
            for (auto const& how : permanent())
                if (sends(op, command))
                    all.emplace_back([&op, command, how] { return judge(op, command, how, false); });
    play(all, servers);
}

BOOST_AUTO_TEST_SUITE_END()
