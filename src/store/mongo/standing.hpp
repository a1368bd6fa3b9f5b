#pragma once

#include "store/store.hpp"

/// How renewals and releases of leases are judged that have matched nothing; free of I/O.
namespace minibatch::store::mongo {

/// What a read after an update that has matched nothing tells of a lease.
enum class standing { ours, given_up, lost, old_view };

/// Epochs never go back: a lower one can only be what a server shows that has been replaced.
inline standing standing_of(lease const& seen, std::int64_t epoch) {
    if (seen.epoch < epoch) return standing::old_view;
    if (seen.epoch > epoch) return standing::lost;
    return seen.held() ? standing::ours : standing::given_up;
}

/// An error of the read that was to tell what became of an update.
inline error error_after(error const& problem, bool maybe_done) {
    if (!maybe_done || problem.code() != errc::unavailable) return problem;
    return error(errc::outcome_unknown, problem.diagnostics());
}

}  // namespace minibatch::store::mongo
