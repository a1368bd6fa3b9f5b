#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "mongo_model/cluster.hpp"
#include "mongo_model/station.hpp"
#include "store/mongo/reached.hpp"

namespace mongo_model {

using minibatch::store::steady_time;

/// What processes were told, to be held against what became of it.
struct ledger {
    std::map<std::string, minibatch::store::append_result> done;
    std::map<std::string, std::size_t> failed;  // surely not stored, when the log was so long
    std::set<std::string> repeated;             // begun again after an unknown outcome
    std::vector<std::pair<time_ms, std::int64_t>> seals;
    int unknown = 0;
    int most_steps = 0;  // of one append
};

/// A process that appends to the log, seals, trims, clears and deletes it, in the way of `logs::add` and of the store's
/// trimming.
class process : station {
  public:
    process(timeline& time, weather const& how, cluster& with, ledger& told, std::string name);

    /// Begins to work until the time.
    void start(moment until, bool trims, bool deletes);

  private:
    struct reply {
        bool lost = false;
        bool duplicate = false;
        bool refused = false;  // nothing was done
        op_time when = 0;
    };
    using answer = std::function<void(reply)>;
    steady_time steady_now() const;
    time_ms database_now() const;
    void serve_read(std::optional<op_time> after, answer to, int tries = 0);
    void serve_insert(record what, answer to);
    void when_durable(op_time write, answer to);

    void next_job();
    void begin(mongo::new_record what);
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

    cluster& cluster_;
    ledger& told_;
    std::string name_;
    std::int64_t rate_;    // of the steady clock, in thousandths
    std::int64_t offset_;  // of the steady clock
    time_ms skew_;
    moment until_ = 0;
    bool deletes_ = false;

    mongo::appender adding_;
    mongo::new_record record_;
    line writing_;
    moment deadline_ = 0;
    op_time answered_at_ = 0;
    int steps_ = 0;
    int batches_ = 0;
    std::vector<mongo::new_record> open_;  // with unknown outcomes

    line keeping_;
    std::optional<mongo::log_end> newest_;
    mongo::reached_numbers reached_;
    std::int64_t floor_ = 0;
    std::int64_t removed_below_ = 0;
};

}  // namespace mongo_model
