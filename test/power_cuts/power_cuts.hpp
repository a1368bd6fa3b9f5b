#pragma once

#include <boost/test/unit_test.hpp>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "power_cuts/found_after_cut.hpp"
#include "power_cuts/recording_vfs.hpp"
#include "support/temporary_directory.hpp"

namespace minibatch::test {

/// What was found in the databases that power cuts left behind.
struct findings {
    int databases = 0;
    std::vector<std::string> wrong;
};

/// A workload on a disk of its own.
struct rehearsal {
    explicit rehearsal(recording_vfs::interceptor intercept = {}, std::string parameters = {},
                       workload::decorator decorate = {});

    /// Cuts the power behind each event from `from` on, or behind every `stride`-th, and looks at what is left, with
    /// each of the ways in which what was not synced may survive.
    findings cut_everywhere(promise kept, std::mt19937& random, std::size_t from = 0, std::size_t stride = 1) const;
    /// The same for one moment.
    void cut(std::size_t behind, promise kept, std::mt19937& random, findings& into) const;

    temporary_directory directory;
    disk files;
    recording running;
    workload program;
};

/// Appends, commits, trims, checkpoints, a clean end, a kill: what the promises are about, once.
void everything_once(workload& program);
/// So many random steps.
void anything(workload& program, std::mt19937& random, int steps);

/// Answers the n-th call of a kind, and those that follow it, so many in all.
class nth_call {
  public:
    nth_call(std::string_view kind, int n, file_answer answer = {}, int times = 1)
        : kind_(kind), n_(n), answer_(answer), times_(times) {}
    std::optional<file_answer> operator()(file_call const& call) {
        if (call.kind != kind_ || ++*count_ < n_ || *count_ >= n_ + times_) return std::nullopt;
        return answer_;
    }
    /// How many there were.
    int count() const { return *count_; }

  private:
    std::string_view kind_;
    int n_;
    file_answer answer_;
    int times_;
    std::shared_ptr<int> count_ = std::make_shared<int>(0);
};

/// A new sequence for each test, from the seed of the run.
std::mt19937 random_of_test();

/// Fails the test unless nothing is wrong; else says what, and how often.
void require_nothing(findings const& found);

}  // namespace minibatch::test
