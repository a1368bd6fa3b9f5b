#include "runtime/window_record.hpp"

#include <utility>

namespace minibatch::runtime {

void window_record::save_ended(std::optional<error> const& problem) noexcept {
    sent = false;
    in_doubt = problem && (problem->code() == errc::outcome_unknown || in_doubt);
}

void window_record::tell_committers(std::optional<error> const& problem) {
    if (!problem) committed = true;
    for (auto& done : std::exchange(committers, {})) {
        if (!problem) {
            std::move(done)(std::nullopt);
        } else if (in_doubt || problem->code() == errc::outcome_unknown) {
            std::move(done)(error(errc::outcome_unknown,
                                  "whether window " + id + " was committed is not known: " + problem->what()));
        } else {
            std::move(done)(error(problem->code(), "window " + id + " was not committed: " + problem->what()));
        }
    }
}

}  // namespace minibatch::runtime
