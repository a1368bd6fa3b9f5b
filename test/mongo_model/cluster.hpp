#pragma once

#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "mongo_model/replication.hpp"
#include "store/mongo/log/appender.hpp"

namespace mongo_model {

namespace mongo = minibatch::store::mongo;
using minibatch::store::log_position;
using minibatch::store::time_ms;

struct record {
    mongo::placement where;
    std::int64_t count = 0;
    std::int64_t bytes = 0;
    std::string batch;
    bool deleted = false;
    int content = 0;  // which messages: 0 for control records
    friend bool operator==(record const&, record const&) = default;
};

struct head {
    log_position floor;
    bool deleted = false;
    bool removed = false;
};

/// Of a replica set, what one log sees. It watches the log by itself, and notes what must not happen.
class cluster : public replication {
  public:
    cluster(timeline& time, fault_profile const& how);

    // As of a time.
    mongo_model::head const& front(op_time when) const;
    record const* find(std::int64_t number, op_time when) const;
    /// What the search for the end finds.
    mongo::log_end end(op_time when) const;

    /// Present: the write's time. Absent: there is one with this number.
    std::optional<op_time> insert(record what);
    op_time raise_floor(log_position floor);
    op_time remove(std::int64_t from, std::int64_t to);
    op_time mark_deleted();
    /// A write that changes nothing that matters, but moves the time on.
    op_time touch() { return write(-1); }
    op_time remove_all();

    void fail_over();
    /// The batch is appended by two processes that were one, so that it may be there twice.
    void allow_twice(std::string const& batch) { twice_.insert(batch); }

    /// The log as it became durable, from its beginning, also what has been removed since.
    std::vector<record> const& history() const noexcept { return history_; }
    std::int64_t floor() const noexcept { return floor_; }
    /// What must not happen, and did.
    std::vector<std::string> const& violations() const noexcept { return violations_; }
    void violation(std::string text) { violations_.push_back(std::move(text)); }

  private:
    static constexpr op_time never = std::numeric_limits<op_time>::max();
    template <class Value>
    struct version {
        Value what;
        op_time since;
        op_time until = never;
    };
    op_time write(std::int64_t number);
    void set_head(mongo_model::head to);
    void became_durable(op_time from, op_time to) override;
    void joined(record const& what);

    std::map<std::int64_t, std::vector<version<record>>> records_;
    std::vector<version<mongo_model::head>> heads_;
    std::vector<std::pair<op_time, std::int64_t>> written_;  // numbers of records, since the durable point
    std::vector<record> history_;
    std::int64_t floor_ = 0;
    bool buried_ = false;
    std::set<std::string> twice_;
    std::vector<std::string> violations_;
};

}  // namespace mongo_model
