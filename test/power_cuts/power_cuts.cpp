#include "power_cuts/power_cuts.hpp"

#include <array>
#include <utility>

#include "support/soak.hpp"

namespace minibatch::test {
namespace {

constexpr std::array ways{std::pair{survival::synced_only, "only what was synced"},
                          std::pair{survival::all, "all that was written"},
                          std::pair{survival::not_failed, "all but what was written before a failed sync"},
                          std::pair{survival::some, "any part of what was written"}};

}  // namespace

rehearsal::rehearsal(recording_vfs::interceptor intercept, std::string parameters, workload::decorator decorate)
    : files(std::filesystem::canonical(directory.path())),
      running(files, std::move(intercept)),
      program(files, std::move(parameters), std::move(decorate)) {}

void rehearsal::cut(std::size_t behind, promise kept, std::mt19937& random, findings& into) const {
    for (auto const& [what, name] : ways) {
        temporary_directory const left;
        files.after_power_cut(behind, what, random, left.path());
        ++into.databases;
        for (auto const& sentence : violations(left.path(), program.operations(), behind, kept))
            into.wrong.push_back("cut behind event " + std::to_string(behind) + " of " + std::to_string(files.size()) +
                                 ", " + name + " survived: " + sentence);
    }
}

findings rehearsal::cut_everywhere(promise kept, std::mt19937& random, std::size_t from, std::size_t stride) const {
    findings out;
    for (auto behind = from; behind < files.size(); behind += stride) cut(behind, kept, random, out);
    cut(files.size(), kept, random, out);
    return out;
}

void everything_once(workload& program) {
    program.append(3);
    program.append_together(2);
    program.commit();
    program.append(1, 40'000);  // several pages
    program.checkpoint(SQLITE_CHECKPOINT_PASSIVE);
    program.commit();
    program.append(2);  // begins the log anew
    program.append_together(3);
    program.trim();
    program.close();
    program.append(2);
    program.commit();
    program.seal();
    program.append(1);
    program.kill();
    program.append(2);
    program.commit();
    program.trim();
    program.checkpoint(SQLITE_CHECKPOINT_TRUNCATE);
    program.append(1);
}

void anything(workload& program, std::mt19937& random, int steps) {
    for (int i = 0; i < steps; ++i) switch (random() % 16) {
            case 0:
                program.close();
                break;
            case 1:
                program.kill();
                break;
            case 2:
                program.trim();
                break;
            case 3:
                program.seal();
                break;
            case 4:
                program.checkpoint(static_cast<int>(random() % 4));
                break;
            case 5:
                program.append(1, 30'000 + random() % 60'000);
                break;
            case 6:
            case 7:
            case 8:
                program.commit();
                break;
            case 9:
            case 10:
                program.append_together(static_cast<int>(random() % 4) + 1);
                break;
            default:
                program.append(static_cast<int>(random() % 5) + 1, random() % 500);
        }
}

std::mt19937 random_of_test() {
    static auto const seed = static_cast<std::uint32_t>(seed_of_run());
    return std::mt19937(seed);
}

void require_nothing(findings const& found) {
    BOOST_TEST(found.databases > 0);
    for (std::size_t i = 0; i < std::min<std::size_t>(found.wrong.size(), 5); ++i) BOOST_ERROR(found.wrong[i]);
    BOOST_TEST(found.wrong.empty(), found.wrong.size() << " things wrong in " << found.databases << " databases");
}

}  // namespace minibatch::test
