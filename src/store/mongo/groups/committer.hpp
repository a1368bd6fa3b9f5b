#pragma once

#include <optional>
#include <string>
#include <variant>

#include "store/mongo/groups/revision_counter.hpp"
#include "store/mongo/groups/revisions.hpp"
#include "store/mongo/wire/failure.hpp"
#include "store/store.hpp"

namespace minibatch::store::mongo {

/// The commit of one progress as a state machine without I/O: it returns the next action and is told its result.
///
/// A commit is one update of the group's document with three conditions: the epoch is ours, the low offset does not
/// decrease, and the revision in the document is below the commit's. The last condition prevents a late copy of an
/// earlier commit from undoing a later one. All tries of a commit have the same revision, unless another handle
/// is found to have committed under the same epoch. A handle that has acquired the lease itself knows the revision in
/// the document and accepts no other: then another process, resumed from the same snapshot of a machine, holds the same
/// lease, and this one is fenced.
class committer {
  public:
    // The next action.
    struct update {
        std::int64_t revision = 0;
        /// The revision that the document must have; absent: any below the commit's.
        std::optional<std::int64_t> expected{};
    };
    struct look {};  // read the group by a majority, as of the answer to the update
    struct pause {
        int tries = 0;
    };
    struct done {};
    struct failed {
        errc code = errc::outcome_unknown;
        std::string text;
    };
    using action = std::variant<update, look, pause, done, failed>;

    /// The request must outlive it. `known` is what the handle knows of the revision in the document; absent: the lease
    /// was acquired by another handle.
    committer(commit_request const& request, revision_counter& revisions, std::optional<known_revision> known = {})
        : request_(request),
          revisions_(revisions),
          known_(std::move(known)),
          revision_(revisions.beyond(known_ ? known_->last : 0)) {}

    action begin() { return next_update(); }

    // The result of the last action.
    /// Whether the update has matched the document.
    action updated(bool found);
    /// Absent: there is no such group.
    action looked(std::optional<group_state> found, std::int64_t revision);
    action paused() { return last_; }
    /// The action did not succeed. `last`: there is no time for another try.
    action not_done(failure const& why, bool last);

    /// What is known of the revision in the document by now.
    std::optional<known_revision> const& known() const noexcept { return known_; }

  private:
    action next_update();
    action stored(std::int64_t revision);

    commit_request const& request_;
    revision_counter& revisions_;
    std::optional<known_revision> known_;
    std::int64_t revision_;
    bool maybe_stored_ = false;  // an answer was lost
    int tries_ = 0;
    action last_{look{}};  // to repeat after a pause
};

}  // namespace minibatch::store::mongo
