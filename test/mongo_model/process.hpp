#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "mongo_model/cluster.hpp"
#include "mongo_model/station.hpp"
#include "store/mongo/log/reached_numbers.hpp"

namespace mongo_model {

using minibatch::store::steady_time;

/// What processes were told, to be held against what became of it.
struct ledger {
    // By the content of the record.
    std::map<int, std::string> done;    // the batch
    std::map<int, std::size_t> failed;  // surely not stored, when the log was so long
    std::set<int> repeated;             // begun again after an unknown outcome
    std::set<int> cloned;               // appended by two processes that were one
    int contents = 0;
    int clones = 0;
    std::vector<std::pair<time_ms, std::int64_t>> seals;
    int unknown = 0;
    int most_steps = 0;  // of one append
};

/// A process that appends to the log, seals, trims, clears and deletes it, in the way of `logs::add` and of the store's
/// trimming.
class process : station {
  public:
    process(timeline& time, fault_profile const& how, cluster& with, ledger& told, std::string name);

    /// Begins to work until the time.
    void start(moment until, bool trims, bool deletes);

  private:
    /// What it is to append.
    struct job {
        mongo::new_record what;
        int content = 0;
    };
    struct reply {
        bool lost = false;
        bool duplicate = false;
        bool refused = false;  // nothing was done
        op_time when = 0;
    };
    using answer = std::function<void(reply)>;
    steady_time steady_now() const;
    time_ms database_now() const;
    mongo::cluster_time time_at(op_time when) const;
    void serve_read(std::optional<op_time> after, answer to, int tries = 0);
    void serve_insert(record what, answer to);
    void when_durable(op_time write, answer to);

    void next_job();
    void begin(job next);
    /// A snapshot of the machine is resumed, beside it.
    void clone();
    void step(mongo::appender::action next);
    void not_done(bool unknown, bool refused = false);
    void learn(mongo::appender::learn const& what);
    void insert(mongo::placement const& where);
    void confirm();
    void pause(mongo::appender::pause const& what);
    void finished(mongo::appender::done const& what);
    void failed(mongo::appender::failed const& what);

    void mark_deleted();

    void look_after();
    void trim(op_time seen);
    void remove();
    void remove_at(mongo::cluster_time now);

    cluster& cluster_;
    ledger& told_;
    std::string name_;
    std::int64_t rate_;    // of the steady clock, in thousandths
    std::int64_t offset_;  // of the steady clock
    time_ms skew_;
    moment until_ = 0;
    bool trims_ = false;
    bool deletes_ = false;

    mongo::appender adding_;
    mongo::new_record record_;
    int content_ = 0;
    bool busy_ = false;
    line writing_;
    moment deadline_ = 0;
    op_time answered_at_ = 0;
    std::optional<mongo::cluster_time> stored_at_;
    std::uint64_t connection_ = 1;
    int steps_ = 0;
    int batches_ = 0;
    std::vector<job> open_;  // with unknown outcomes
    std::vector<std::unique_ptr<process>> clones_;

    line keeping_;
    std::optional<mongo::log_end> newest_;
    mongo::reached_numbers reached_;
    std::int64_t floor_ = 0;
    std::int64_t removed_below_ = 0;
};

}  // namespace mongo_model
