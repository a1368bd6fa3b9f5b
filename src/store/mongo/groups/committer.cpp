#include "store/mongo/groups/committer.hpp"

#include "store/rules.hpp"

namespace minibatch::store::mongo {

committer::action committer::next_update() {
    update next{revision_};
    if (known_) next.expected = known_->last;
    return last_ = next;
}

committer::action committer::stored(std::int64_t revision) {
    if (known_) known_ = known_revision{revision, {}};
    return done{};
}

committer::action committer::updated(bool found) {
    if (found) return stored(revision_);
    return last_ = look{};
}

committer::action committer::looked(std::optional<group_state> found, std::int64_t revision) {
    if (!found && maybe_stored_)
        return failed{errc::outcome_unknown, "a commit may have been stored; meanwhile the group was deleted"};
    if (!found) return failed{errc::group_not_found, "there is no group '" + request_.group.group + "'"};
    if (found->held.epoch < request_.epoch) {
        // Epochs never decrease: this is an old view, of a server that has been replaced.
        next_update();
        return pause{++tries_};
    }
    try {
        bool const own = revision == revision_ && found->state == request_.state;
        bool const explained = !known_ || own || known_->explains(revision, found->state);
        if (found->held.epoch == request_.epoch && !explained)
            throw error(errc::fenced, "group '" + request_.group.group +
                                          "': another process commits under the same lease; was it resumed from a "
                                          "snapshot of the machine?");
        if (!rules::commit(*found, request_)) return stored(revision);
    } catch (error const& problem) {
        if (maybe_stored_ && problem.code() == errc::fenced)
            // The try whose answer was lost may have been applied before the new holder came.
            return failed{errc::outcome_unknown,
                          std::string("a commit may have been stored; meanwhile ") + problem.what()};
        return failed{static_cast<errc>(problem.code().value()), problem.what()};
    }
    // The commit would be accepted now: another handle has committed under the same epoch, or a failover has undone it.
    if (revision >= revision_) revision_ = revisions_.beyond(revision);
    if (known_ && known_->perhaps.erase(revision) > 0) known_->last = revision;
    next_update();
    return pause{++tries_};
}

committer::action committer::not_done(failure const& why, bool last) {
    if (std::holds_alternative<update>(last_) && why.how == severity::unknown) {
        maybe_stored_ = true;
        if (known_) known_->perhaps.insert_or_assign(revision_, request_.state);
    }
    if (why.how == severity::refused && !maybe_stored_) return failed{why.code, why.text};
    if (why.how == severity::refused || last)
        return failed{maybe_stored_ ? errc::outcome_unknown : errc::unavailable, why.text};
    return pause{++tries_};
}

}  // namespace minibatch::store::mongo
