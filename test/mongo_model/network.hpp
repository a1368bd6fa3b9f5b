#pragma once

#include <cstdint>
#include <functional>
#include <queue>
#include <random>
#include <vector>

namespace mongo_model {

/// True time of the model, in milliseconds.
using moment = std::int64_t;

/// What happens when, and chance. Deterministic from the seed.
class timeline {
  public:
    explicit timeline(std::uint32_t seed) : bits_(seed) {}

    moment now() const noexcept { return now_; }
    void after(moment delay, std::function<void()> what);
    /// Carries out what is due until `end`.
    void run_until(moment end);

    /// Uniform in [low, high].
    std::int64_t pick(std::int64_t low, std::int64_t high);
    /// `of_thousand` times of a thousand.
    bool chance(int of_thousand) { return pick(0, 999) < of_thousand; }

  private:
    struct event {
        moment at;
        std::uint64_t order;
        std::function<void()> what;
        bool operator<(event const& other) const noexcept {
            return at != other.at ? at > other.at : order > other.order;
        }
    };
    std::priority_queue<event> due_;
    moment now_ = 0;
    std::uint64_t order_ = 0;
    std::mt19937 bits_;
};

/// How bad the network and the machines are, in thousandths.
struct fault_profile {
    int lost = 0;          // requests, and answers
    int late = 0;          // requests that are seconds late
    int very_late = 0;     // and those that are later than 10 s
    int paused = 0;        // processes, at each event
    int stale = 0;         // questions that a server answers which has been replaced
    int failovers = 0;     // each second
    int slow = 0;          // replications
    int cut = 0;           // connections, while an answer is awaited
    int clock_set = 0;     // the database's, ahead or back by seconds, as a record is begun
    int frozen = 0;        // machines, at each event: for up to a minute, and their clocks stand still
    int cloned = 0;        // processes, as they begin a record: what was one goes on as two with the same state
    int server_clock = 0;  // each second: the primary's clock is set, by up to an hour
};

/// The delay of a message.
moment delay_of_request(timeline& time, fault_profile const& how);

}  // namespace mongo_model
