#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <minibatch.hpp>
#include <string>
#include <vector>

namespace bench {

/// 100 consumers, each of a stream of its own, that wait for messages that do not come.
class waiting_consumers {
  public:
    /// Returns when all of them wait.
    explicit waiting_consumers(minibatch::database const& database);
    ~waiting_consumers();
    waiting_consumers(waiting_consumers const&) = delete;
    waiting_consumers& operator=(waiting_consumers const&) = delete;

    /// Lets them wait for this long. Returns the share of a core that this process used, 1 for a whole one.
    double processor_share(std::chrono::seconds duration);

  private:
    boost::asio::io_context context_{1};
    std::vector<minibatch::consumer> all_;
};

/// A row with what waiting took of a core, which is to be less than 1 %.
void print_waiting(std::string const& claim, double share);

}  // namespace bench
