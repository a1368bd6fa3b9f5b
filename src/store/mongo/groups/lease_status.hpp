#pragma once

#include "store/store.hpp"

/// What a renewal or a release that has matched nothing means. Without I/O.
namespace minibatch::store::mongo {

/// What a read after an update that has matched nothing tells of a lease.
enum class lease_status { ours, given_up, lost, old_view };

/// Epochs never decrease: a lower one can only come from a server that has been replaced.
inline lease_status status_of(lease const& seen, std::int64_t epoch) {
    if (seen.epoch < epoch) return lease_status::old_view;
    if (seen.epoch > epoch) return lease_status::lost;
    return seen.held() ? lease_status::ours : lease_status::given_up;
}

/// An error of the read that was to tell what became of an update.
inline error error_after(error const& problem, bool maybe_done) {
    if (!maybe_done || problem.code() != errc::unavailable) return problem;
    return error(errc::outcome_unknown, problem.diagnostics());
}

}  // namespace minibatch::store::mongo
