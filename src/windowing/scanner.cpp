#include "windowing/scanner.hpp"

#include <algorithm>
#include <cstdint>

namespace minibatch::windowing {
namespace {

// How many messages from the beginning of the run fit into so many bytes, at most `most`.
std::int64_t fitting(slice const& run, std::int64_t most, std::int64_t bytes) {
    std::int64_t fits = 0;
    std::int64_t too_many = most + 1;
    while (fits + 1 < too_many) {
        auto const middle = fits + (too_many - fits) / 2;
        if (run.segment->documents(run.begin, run.begin + middle).size() <=
            static_cast<std::uint64_t>(bytes + 2 * (middle - 1))) {
            fits = middle;
        } else {
            too_many = middle;
        }
    }
    return fits;
}

}  // namespace

std::optional<scanner::found> scanner::find(pending_log const& pending) {
    if (!bytes_) {
        if (count_ && pending.count() >= *count_) return found{*count_, window_reason::count};
        return std::nullopt;
    }
    if (removals_ != pending.removals()) {
        removals_ = pending.removals();
        runs_seen_ = 0;
        count_seen_ = bytes_seen_ = 0;
    }
    auto const& runs = pending.runs();
    for (; runs_seen_ < runs.size(); ++runs_seen_) {
        auto const& run = runs[runs_seen_];
        if (barrier_ && runs_seen_ > 0 && runs[runs_seen_ - 1].end_offset() != run.first_offset()) {
            return found{count_seen_, window_reason::bytes};
        }
        auto const most = count_ ? std::min(run.count(), *count_ - count_seen_) : run.count();
        auto const fits = fitting(run, most, *bytes_ - bytes_seen_);
        // A first message that is larger than the limit is a window of its own.
        if (fits < most) return found{std::max<std::int64_t>(count_seen_ + fits, 1), window_reason::bytes};
        if (count_ && count_seen_ + most == *count_) return found{*count_, window_reason::count};
        count_seen_ += most;
        bytes_seen_ += run.bytes();
    }
    if (count_seen_ == 0) return std::nullopt;
    // Full to the last byte, or at a barrier behind which nothing is pending yet.
    if (bytes_seen_ == *bytes_ || (barrier_ && runs.back().end_offset() != pending.fed_end())) {
        return found{count_seen_, window_reason::bytes};
    }
    return std::nullopt;
}

}  // namespace minibatch::windowing
