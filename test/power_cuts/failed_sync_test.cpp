#include "power_cuts/power_cuts.hpp"

using namespace minibatch;
using namespace minibatch::test;
using outcome = operation::outcome;

BOOST_AUTO_TEST_SUITE(failed_sync)

namespace {

void steps(workload& program) {
    program.append(2);
    program.append_together(2);
    program.commit();
    program.append(1, 40'000);
    program.checkpoint(SQLITE_CHECKPOINT_PASSIVE);
    program.append(1);
    program.commit();
}

/// How the program goes on after it.
enum class ending { close, kill };

findings look(nth_call const& failing, ending how, std::string const& parameters, promise kept, std::mt19937& random) {
    rehearsal r(failing, parameters);
    steps(r.program);
    auto const failed = r.files.size();
    if (how == ending::close)
        r.program.close();
    else
        r.program.kill();
    auto const ended = r.files.size();
    r.program.append(2);
    r.program.commit();
    r.program.checkpoint(SQLITE_CHECKPOINT_PASSIVE);
    r.program.append(1);
    findings out;
    for (auto const behind : {failed, ended, (ended + r.files.size()) / 2, r.files.size()})
        r.cut(behind, kept, random, out);
    for (int i = 0; i < 2; ++i) r.cut(random() % r.files.size(), kept, random, out);
    return out;
}

void every_one_fails(std::string_view kind, std::string const& parameters, promise kept) {
    auto random = random_of_test();
    int failures = 0;
    for (int n = 1; n < 1000; ++n) {
        auto const times = random() % 3 == 0 ? 3 : 1;
        nth_call const failing(kind, n, {SQLITE_IOERR_FSYNC, false}, times);
        auto const how = random() % 2 == 0 ? ending::close : ending::kill;
        BOOST_TEST_CONTEXT(kind << " " << n << " fails " << times << " times, then " << static_cast<int>(how)) {
            auto const found = look(failing, how, parameters, kept, random);
            if (failing.count() < n) break;
            ++failures;
            require_nothing(found);
        }
    }
    BOOST_TEST(failures >= 5);
}

}  // namespace

BOOST_AUTO_TEST_CASE(of_a_file) { every_one_fails("sync", "", promise::each); }
BOOST_AUTO_TEST_CASE(of_a_file_with_synchronous_normal) {
    every_one_fails("sync", "?synchronous=normal", promise::prefix);
}
BOOST_AUTO_TEST_CASE(of_the_directory) { every_one_fails("sync directory", "", promise::each); }

// It has been written, and is known to be undone, before the error is reported.
BOOST_AUTO_TEST_CASE(is_told_once_it_is_known_what_became_of_it) {
    auto random = random_of_test();
    int failing = 0;
    int times = 0;
    rehearsal r([&](file_call const& call) -> std::optional<file_answer> {
        if (call.kind != "sync" || failing == 0) return std::nullopt;
        --failing;
        ++times;
        return file_answer{SQLITE_IOERR_FSYNC, false};
    });
    r.program.append(1);
    failing = 1;
    r.program.append(2);
    BOOST_TEST(times == 1);
    BOOST_TEST((r.program.operations().back().result == outcome::refused));
    r.program.append(3);
    BOOST_TEST((r.program.operations().back().result == outcome::done));
    failing = 2;
    r.program.append(4);
    BOOST_TEST(times == 3);
    BOOST_TEST((r.program.operations().back().result == outcome::unknown));
    r.program.append(5);
    BOOST_TEST((r.program.operations().back().result == outcome::done));
    r.program.kill();
    r.program.append(6);
    BOOST_TEST((r.program.operations().back().result == outcome::done));
    require_nothing(r.cut_everywhere(promise::each, random, 0, 2));
}

// The transaction failed for all of its jobs, also if the first one of them changed nothing.
BOOST_AUTO_TEST_CASE(a_repetition_does_not_answer_for_the_others) {
    auto random = random_of_test();
    for (int const failures : {1, 2}) {
        int failing = 0;
        rehearsal r([&](file_call const& call) -> std::optional<file_answer> {
            if (call.kind != "sync" || failing == 0) return std::nullopt;
            --failing;
            return file_answer{SQLITE_IOERR_FSYNC, false};
        });
        r.program.append(1);
        failing = failures;
        r.program.append_together(2);
        BOOST_TEST(r.program.count(outcome::done) == 1);
        BOOST_TEST(r.program.operations().size() == 4U);
        r.program.append(1);
        r.program.kill();
        require_nothing(r.cut_everywhere(promise::each, random, 0, 2));
    }
}

BOOST_AUTO_TEST_SUITE_END()
