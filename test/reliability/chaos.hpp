#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "reliability/history.hpp"
#include "support/process.hpp"
#include "support/temporary_directory.hpp"

namespace minibatch::test {

/// Producers and consumers as processes on one database, of which random ones are killed and stopped at random
/// moments. Throws when a process ends by itself.
class chaos {
  public:
    using settings = std::vector<std::string>;

    /// `common` is given to all processes, `consuming` to consumers alone: NAME=VALUE each. Without a URL they
    /// work on a database of SQLite.
    chaos(std::uint64_t seed, settings common, settings consuming, std::string url = {});

    /// Starts three producers and three consumers, and kills and restarts so many times; in every second one the one
    /// that works on windows, if it is alive. `each`, if given, is called after each kill, with how many there were.
    void run(int kills, std::function<void(int)> const& each = {});
    /// Ends the producers, then the consumers, as one would; then one more consumer takes what is left.
    void finish();

    history reports() const;
    std::string database() const { return url_.empty() ? directory_ / "numbers.db" : url_; }

  private:
    struct place {
        std::string role;
        std::string report;
        settings values;
        int run = 0;
        std::unique_ptr<process> now;
        std::chrono::steady_clock::time_point resume_at{};
        bool stopped = false;
    };

    void start(place& at);
    place& victim();
    void resume_due();
    void watch(milliseconds limit);
    void end(place& at);
    [[noreturn]] void fail(place const& at, std::string const& what) const;
    int below(int limit) { return static_cast<int>(random_() % static_cast<unsigned>(limit)); }
    std::string errors() const { return directory_ / "errors.txt"; }

    temporary_directory directory_;
    std::string url_;
    std::mt19937_64 random_;
    settings common_;
    settings consuming_;
    std::vector<place> producers_;
    std::vector<place> consumers_;
    std::set<int> stopped_;
    int runs_ = 0;
};

}  // namespace minibatch::test
