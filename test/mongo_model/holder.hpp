#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "mongo_model/group.hpp"
#include "mongo_model/station.hpp"
#include "store/mongo/groups/committer.hpp"
#include "store/mongo/groups/lease_status.hpp"
#include "store/mongo/groups/renewal_counts.hpp"

namespace mongo_model {

namespace mongo = minibatch::store::mongo;

/// The offsets that a progress says are committed.
std::set<std::int64_t> committed_in(progress const& state);

/// What holders were told, to be held against what became of it.
struct group_ledger {
    std::map<std::int64_t, std::size_t> refused;  // marks of commits that were surely not stored
    int commits = 0;
    int unknown = 0;
    int fenced = 0;
    int renewals = 0;
    int releases = 0;
    int lost_leases = 0;
    int unexplained = 0;  // renewals by somebody else
    int clones = 0;
    std::vector<std::string> violations;

    static constexpr moment lease_time = 10'000;
    /// Two that were resumed from one snapshot find each other out.
    void note_renewal(std::int64_t epoch, void const* by) {
        auto& [last, turns] = renewed_by[epoch];
        if (last && last != by) ++turns;
        last = by;
        if (turns > 4) violations.push_back("two processes renew the same lease");
    }
    std::map<std::int64_t, std::pair<void const*, int>> renewed_by;
};

/// A process that takes the lease of a group when it can, commits windows in and out of order, renews, and now and then
/// gives the lease up, in the way of `group_table`.
class holder : station {
  public:
    holder(timeline& time, fault_profile const& how, group_replicas& with, group_ledger& told, int name);

    void start(moment until);

  private:
    struct reply {
        bool lost = false;
        bool refused = false;  // nothing was done
        bool found = false;    // the document was as it was to be
        op_time when = 0;
    };
    using answer = std::function<void(reply)>;

    /// Changes the document if it is as the change wants it; the answer comes when it lasts.
    void serve_change(std::function<bool(group&)> change, answer to);
    void serve_read(std::optional<op_time> after, answer to, int tries = 0);
    void when_durable(op_time write, reply out, answer to);

    void acquire();
    void next_window();
    void commit();
    void step(mongo::committer::action next);
    void not_done(bool unknown);
    void committed();
    void failed(mongo::committer::failed const& why);
    void renew();
    void release();
    void released();
    void lose();
    /// A snapshot of the machine is resumed, beside it.
    void clone();
    /// The steady clock of the machine.
    moment local_now() const { return time_.now() - frozen_for(); }
    /// Holds no lease any more, and asks for one again later.
    void leave();
    mongo::lease_status status_in(group const& seen) const;

    group_replicas& group_;
    group_ledger& told_;
    int name_;
    moment until_ = 0;

    line line_;
    line renewing_;
    int acquisitions_ = 0;
    int acquisition_ = 0;  // the one that is asked for, or held
    std::int64_t epoch_ = -1;
    int term_ = 0;                                                  // grows whenever the lease is lost
    bool acquired_late_ = false;                                    // a copy of the request may be under way
    std::optional<std::pair<std::int64_t, std::int64_t>> watched_;  // somebody else's epoch and count of renewals
    moment watched_since_ = 0;
    mongo::renewal_counts renewals_;
    mongo::revisions known_;
    std::vector<std::unique_ptr<holder>> clones_;
    progress state_;
    mongo::revision_counter revisions_;
    minibatch::store::commit_request request_;
    std::optional<mongo::committer> work_;
    moment deadline_ = 0;
    op_time answered_at_ = 0;
    bool repeated_ = false;  // the commit was tried before, with an unknown outcome
};

}  // namespace mongo_model
