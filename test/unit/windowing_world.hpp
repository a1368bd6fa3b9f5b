#pragma once

#include <boost/random/mersenne_twister.hpp>
#include <boost/random/uniform_int_distribution.hpp>
#include <map>
#include <memory>
#include <set>

#include "windowing/progress_tracker.hpp"
#include "windowing_support.hpp"

namespace windowing_test {

using random_bits = boost::random::mt19937;

inline std::int64_t pick(random_bits& bits, std::int64_t low, std::int64_t high) {
    return boost::random::uniform_int_distribution<std::int64_t>(low, high)(bits);
}

/// One partition and group through a random history: appends, windows delivered and committed in any order, saves that
/// fail, crashes at any point, retention if asked for. What must hold is checked on the way.
class world {
  public:
    struct chances {
        bool retention = false;
        bool clock_jumps = false;
    };
    world(strategy const& strategy_, std::uint32_t seed, chances what_may_happen);

    /// One thing happens.
    void event();
    /// Everything is delivered and committed.
    void drain();

  private:
    moment now() const { return moment::of(clock, created_last(), steady); }
    time_ms created_last() const { return records.empty() ? 0 : records.back()->created(); }
    void restart();
    void retain();
    std::int64_t floor_offset() const { return floor == 0 ? 0 : records[static_cast<std::size_t>(floor)]->first(); }
    void apply_floor();
    void append(std::int64_t count);
    void pass(time_ms span);
    void read(std::int64_t most);
    bool act_on(step answer);
    bool deliver() { return act_on(plan->next(*pending, now())); }
    void open(cut const& window);
    void commit_one();
    void save();
    void count_commit(store::offset_range const& range);

    void check_not_committed(cut const& window) const;
    void check_content(cut const& window) const;
    void check_time_window(cut const& window) const;
    void check_forward(store::progress const& next) const;

    static constexpr int lost = 1000;  // in commits: removed by retention before

    random_bits bits;
    strategy how;
    std::vector<log::segment_ptr> records;
    std::vector<time_ms> created;
    std::vector<int> commits;  // of each message
    std::int64_t end = 0;
    std::int64_t floor = 0;  // number of the first record that is still there
    chances may;
    time_ms clock = 0;
    time_ms steady = 0;
    std::size_t in_flight_limit = 1;

    store::progress saved;
    std::unique_ptr<pending_log> pending;
    std::unique_ptr<progress_tracker> tracker;
    std::unique_ptr<planner> plan;
    std::map<progress_tracker::handle, cut> in_flight;
    std::set<progress_tracker::handle> unsaved;
    ranges discarded;
    std::map<std::int64_t, std::string> ids;
    std::set<std::string> committed_ids;
};

}  // namespace windowing_test
