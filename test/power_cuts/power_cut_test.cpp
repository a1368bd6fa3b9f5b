#include "power_cuts/power_cuts.hpp"
#include "support/soak.hpp"

using namespace minibatch;
using namespace minibatch::test;
using outcome = operation::outcome;

BOOST_AUTO_TEST_SUITE(power_cut)

BOOST_AUTO_TEST_CASE(what_was_acknowledged_survives) {
    auto random = random_of_test();
    rehearsal r;
    everything_once(r.program);
    BOOST_TEST(r.program.count(outcome::done) == static_cast<int>(r.program.operations().size()));
    BOOST_TEST(r.program.operations().size() > 15U);
    auto const found = r.cut_everywhere(promise::each, random, 0, 2);
    require_nothing(found);
    BOOST_TEST_MESSAGE(found.databases << " databases");
}

BOOST_AUTO_TEST_CASE(without_syncs_a_prefix_survives) {
    auto random = random_of_test();
    rehearsal r({}, "?synchronous=normal");
    everything_once(r.program);
    BOOST_TEST(r.program.count(outcome::done) == static_cast<int>(r.program.operations().size()));
    require_nothing(r.cut_everywhere(promise::prefix, random, 0, 3));
}

// The long form of all tests here.
BOOST_AUTO_TEST_CASE(anything_survives) {
    repeat_with_seeds([](std::uint64_t seed) {
        std::mt19937 random(static_cast<std::uint32_t>(seed));
        for (auto const* const parameters : {"", "?synchronous=normal"}) {
            for (auto const* const failing : {"nothing", "sync", "write", "sync directory"}) {
                auto const n = 1 + static_cast<int>(random() % 60);
                rehearsal r(nth_call(failing, n, {SQLITE_IOERR, false}, 1 + static_cast<int>(random() % 3)),
                            parameters);
                anything(r.program, random, 30);
                BOOST_TEST_CONTEXT(parameters << " " << failing << " " << n) {
                    require_nothing(
                        r.cut_everywhere(*parameters ? promise::prefix : promise::each, random, random() % 20, 20));
                }
            }
        }
    });
}

// The log is moved while others write, by the product itself.
BOOST_AUTO_TEST_CASE(checkpoints_lose_nothing) {
    auto random = random_of_test();
    rehearsal r;
    for (int i = 0; i < 6; ++i) {
        r.program.append(1, 1'000'000);
        r.program.commit();
        r.program.maintain();
    }
    r.program.trim();
    r.program.append();
    require_nothing(r.cut_everywhere(promise::each, random, 0, r.files.size() / 12));
}

BOOST_AUTO_TEST_SUITE_END()
