#include "runtime/log_throttle.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace minibatch::runtime {
namespace {

using store::steady_time;

constexpr std::chrono::seconds first_interval{1};
constexpr std::chrono::minutes longest_interval{10};
constexpr std::chrono::minutes forgotten_after{1};
constexpr std::size_t most_lines = 1'000;

class known_lines {
  public:
    /// How often the line was left out since it was passed on last; nothing if it is to be left out now.
    std::optional<long> admit(std::string_view text, steady_time now) {
        std::lock_guard const lock(mutex_);
        auto const found = lines_.find(text);
        if (found == lines_.end()) {
            make_room(now);
            lines_.emplace(text, line{now + first_interval, first_interval, 0});
            return 0;
        }
        auto& known = found->second;
        if (now < known.next) {
            ++known.left_out;
            return std::nullopt;
        }
        known.interval =
            stale(known, now) ? first_interval : std::min<steady_time::duration>(known.interval * 2, longest_interval);
        known.next = now + known.interval;
        return std::exchange(known.left_out, 0);
    }

  private:
    struct line {
        steady_time next;
        steady_time::duration interval;
        long left_out;
    };
    static bool stale(line const& known, steady_time now) { return now >= known.next + forgotten_after; }

    void make_room(steady_time now) {
        if (lines_.size() < most_lines) return;
        std::erase_if(lines_, [&](auto const& entry) { return stale(entry.second, now); });
        if (lines_.size() >= most_lines) lines_.clear();
    }

    std::mutex mutex_;
    std::map<std::string, line, std::less<>> lines_;
};

}  // namespace

log_callback throttle_repetitions(log_callback to, std::function<steady_time()> now) {
    if (!to) return {};
    return [to = std::move(to), now = std::move(now), known = std::make_shared<known_lines>()](log_level level,
                                                                                               std::string_view text) {
        auto const left_out = known->admit(text, now());
        if (!left_out) return;
        if (*left_out == 0) return to(level, text);
        to(level, std::string(text) + " (repeated " + std::to_string(*left_out) + " times meanwhile)");
    };
}

}  // namespace minibatch::runtime
